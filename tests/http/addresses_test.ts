import { deepEqual, equal, rejects } from "node:assert/strict";
import type { lookup, LookupAddress } from "node:dns";
import { Agent, createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { checkHost, isPublic, publicLookup } from "#lib/http/addresses.ts";

Deno.test("isPublic() knows what is this machine's, a network's, or nobody's", () => {
  const hidden = `0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1
    100.127.255.255 127.0.0.1 127.255.255.255 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.2.1 192.168.1.1 198.18.0.1 198.19.255.255
    198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.250 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:a00:1 ::7f00:1 64:ff9b::7f00:1
    64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:db8::1 2002:7f00:1::
    2002:808:808:: 3fff::1 5f00::1 fc00::1 fdff::1 fe80::1 fe80::1%eth0 fec0::1
    ff02::1 localhost 127.1 999.1.1.1`;
  const open = `1.1.1.1 9.9.9.9 11.0.0.1 100.63.255.255 100.128.0.1 126.0.0.1
    128.0.0.1 172.15.0.1 172.32.0.1 192.0.1.1 192.167.0.1 192.169.0.1 198.17.0.1
    198.20.0.1 223.255.255.255 2606:4700::1111 2a00:1450::1 2001:4860::8888
    64:ff9b::9.9.9.9`;
  for (const address of hidden.split(/\s+/)) {
    equal(isPublic(address), false, address);
  }
  for (const address of open.split(/\s+/)) {
    equal(isPublic(address), true, address);
  }
});

Deno.test("checkHost() judges a host by its address, or by what its name leads to", async () => {
  await checkHost(new URL("http://9.9.9.9/"));
  await checkHost(new URL("http://[2606:4700::1111]/"));
  const hidden = ["127.1", "[::1]", "localhost", "LOCALHOST.", "a.localhost"];
  for (const host of hidden) {
    const said = /expected a public address, got (127\.0\.0\.1|::1)/;
    await rejects(checkHost(new URL(`http://${host}:80/`)), said, host);
  }
  await rejects(
    checkHost(new URL("http://no-such-name.invalid/")),
    /ENOTF|AGAIN/,
  );
});

/** What answers look-ups with these addresses, one list after the other. */
function resolver(...answers: string[][]): typeof lookup {
  const answer = (
    _name: string,
    _options: unknown,
    done: (error: null, found: LookupAddress[]) => void,
  ) => {
    const addresses = answers.length > 1 ? answers.shift()! : answers[0];
    const family = (address: string) => address.includes(":") ? 6 : 4;
    done(
      null,
      addresses.map((address) => ({ address, family: family(address) })),
    );
  };
  return answer as unknown as typeof lookup;
}

/** Asks http://owls.example for a page. */
function ask(port: number, resolve: typeof lookup): Promise<unknown> {
  const agent = new Agent({ lookup: publicLookup(resolve) });
  return new Promise((done, fail) => {
    get(`http://owls.example:${port}/`, { agent }, done).on("error", fail);
  });
}

Deno.test("publicLookup() lets a connection only to what it has judged itself", async () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests++;
    response.end();
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  // A name that is public when first asked and this machine afterwards: there
  // is no second look-up behind the first.
  await rejects(ask(port, resolver(["192.0.2.1"], ["127.0.0.1"])), /public/);
  const turning = resolver(["9.9.9.9"], ["127.0.0.1"]);
  const first = await new Promise((done) =>
    publicLookup(turning)(
      "owls.example",
      { all: true },
      (_, found) => done(found),
    )
  );
  deepEqual(first, [{ address: "9.9.9.9", family: 4 }]);
  await rejects(ask(port, turning), {
    message:
      "expected a public address, got 127.0.0.1 (owls.example): a page " +
      "or a list may not lead into this machine or its network",
  });
  // One such address among many is enough.
  await rejects(ask(port, resolver(["9.9.9.9", "::1"])), /got ::1 \(owls/);
  // Nor does a name that leads nowhere lead anywhere.
  await rejects(ask(port, resolver([])), {
    message: "no address: owls.example",
  });
  equal(requests, 0);
  server.close();
});
