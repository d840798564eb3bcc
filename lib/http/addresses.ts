/**
 * Which addresses a page, a list or a redirect may send us to: public ones. The
 * rest are this machine (127.0.0.1), its network (192.168.0.1), or nobody's,
 * and what answers there was never meant to be asked by strangers.
 *
 * A name is judged by what it resolves to, in the very look-up that the
 * connection uses: one that answers otherwise the second time (DNS rebinding)
 * gains nothing.
 *
 * ```ts
 * import { isPublic } from "#lib/http/addresses.ts";
 * import { deepEqual } from "node:assert/strict";
 *
 * const addresses = ["9.9.9.9", "10.0.0.1", "::1", "::ffff:127.0.0.1"];
 * deepEqual(addresses.map(isPublic), [true, false, false, false]);
 * ```
 *
 * @module
 */
import dns from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { FinalError } from "./final_error.ts";
import { at } from "./stages.ts";

/**
 * What IANA's registries of special-purpose addresses keep from the public:
 * this machine, private networks, shared ones of providers, links, tests,
 * documentation, multicast, the future.
 */
const SPECIAL_V4 = `0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8
  169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24 192.88.99.0/24
  192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3`;

/** Of IPv6, the protocols' own addresses, documentation and tunnels (6to4). */
const SPECIAL_V6 = "2001::/23 2001:db8::/32 2002::/16 3fff::/20";

/** All public IPv6, and where a network puts IPv4 that it translates (NAT64). */
const NAT64 = "64:ff9b::";
const PUBLIC_V6 = `2000::/3 ${NAT64}/96`;

const special = new BlockList();
for (const [network, bits] of subnets(SPECIAL_V4)) {
  special.addSubnet(network, bits, "ipv4");
  special.addSubnet(NAT64 + network, 96 + bits, "ipv6");
}
for (const subnet of subnets(SPECIAL_V6)) special.addSubnet(...subnet, "ipv6");
const publicV6 = new BlockList();
for (const subnet of subnets(PUBLIC_V6)) publicV6.addSubnet(...subnet, "ipv6");

function subnets(list: string): [network: string, bits: number][] {
  return list.split(/\s+/).map((subnet) => {
    const [network, bits] = subnet.split("/");
    return [network, Number(bits)];
  });
}

/** Whether an IP address is a public one; false for what is no address. */
export function isPublic(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.check(address, "ipv4");
    case 6:
      return publicV6.check(address, "ipv6") && !special.check(address, "ipv6");
    default:
      return false;
  }
}

/**
 * Looks names up for a connection, and fails where one leads to an address
 * that is not public, be it only one of many.
 *
 * @param resolve What knows the names: the system, if left out.
 */
export function publicLookup(resolve?: typeof dns.lookup): LookupFunction {
  return (name, options, done) => {
    // What not every resolver knows, browsers do (RFC 6761).
    if (/(^|\.)localhost\.?$/i.test(name)) {
      return done(notPublic(name, "127.0.0.1"), []);
    }
    const look = resolve ?? dns.lookup;
    look(name, { ...options, all: true }, (error, found = []) => {
      const hidden = found.find(({ address }) => !isPublic(address));
      if (error) done(error, []);
      else if (hidden) done(notPublic(name, hidden.address), []);
      else if (found.length === 0) {
        done(at("look-up", new Error(`no address: ${name}`)), []);
      } else if (options.all) done(null, found);
      else done(null, found[0].address, found[0].family);
    });
  };
}

/**
 * Makes sure that the address which a URL itself names is public. A name passes:
 * what it leads to is for the look-up.
 *
 * @throws {FinalError} If it is not.
 */
export function checkLiteral({ hostname, host }: URL): void {
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) && !isPublic(address)) throw notPublic(host, address);
}

/**
 * Makes sure that a URL's host is public now, in all that it resolves to.
 *
 * @throws {FinalError} If it is not.
 * @throws {Error} If its name cannot be looked up.
 */
export async function checkHost(url: URL): Promise<void> {
  checkLiteral(url);
  if (isIP(url.hostname) || url.hostname.startsWith("[")) return;
  await new Promise<void>((resolve, reject) => {
    const done = (error: Error | null) => error ? reject(error) : resolve();
    publicLookup()(url.hostname, {}, done);
  });
}

/** Why a host is not asked. */
function notPublic(host: string, address: string): FinalError {
  const of = host === address ? "" : ` (${host})`;
  return at(
    "address",
    new FinalError(
      `expected a public address, got ${address}${of}: a page or a list may ` +
        "not lead into this machine or its network",
    ),
  );
}
