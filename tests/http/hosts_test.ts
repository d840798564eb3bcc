import {
  deepEqual,
  deepStrictEqual,
  ok,
  rejects,
  strictEqual,
} from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { Host, Hosts } from "#lib/http/hosts.ts";
import { FinalError } from "#lib/http/final_error.ts";
import { at, stageOf } from "#lib/http/stages.ts";

const limits = { intervalMs: 10, backoffMs: 100, patienceMs: 1000 };

/** How long the next turn takes to come. */
async function wait(host: Host): Promise<number> {
  const start = performance.now();
  await host.turn();
  return performance.now() - start;
}

Deno.test("turn() comes once an interval, in the order asked for", async () => {
  const host = new Host("h", limits);
  const order: number[] = [];
  const start = performance.now();
  await Promise.all(
    [0, 1, 2, 3].map((i) => host.turn().then(() => order.push(i))),
  );
  ok(performance.now() - start >= 25);
  deepEqual(order, [0, 1, 2, 3]);
});

Deno.test("refused() pauses those who already wait, too", async () => {
  const host = new Host("h", limits);
  await host.turn();
  const waiting = wait(host);
  host.refused(Date.now(), null);
  ok(await waiting >= 95);
});

Deno.test("refused() reads Retry-After as seconds and as a date", async () => {
  for (
    const header of ["7200", new Date(Date.now() + 7_200_000).toUTCString()]
  ) {
    const host = new Host("example.org", limits);
    host.refused(Date.now(), header);
    await rejects(host.turn(), (error: Error) => {
      ok(error instanceof FinalError);
      ok(/^example\.org refuses requests for 7(200|199) s/.test(error.message));
      return true;
    });
  }
  for (const header of ["0", "Thu, 01 Jan 1970 00:00:00 GMT"]) {
    const host = new Host("h", { ...limits, backoffMs: 900 });
    host.refused(Date.now(), header);
    ok(await wait(host) < 800);
  }
});

Deno.test("refused() never shortens a pause that was asked for", async () => {
  const host = new Host("h", limits);
  host.refused(Date.now(), "1");
  host.refused(Date.now() + 1, "0");
  ok(await wait(host) >= 950);
});

Deno.test("refused() backs off longer each time, until an answer comes", async () => {
  const host = new Host("h", limits);
  host.refused(Date.now(), null);
  await host.turn();
  host.refused(Date.now(), null);
  ok(await wait(host) >= 190);
  host.answered(Date.now());
  host.refused(Date.now(), null);
  ok(await wait(host) < 390); // A third one in a row would cost 400 ms.
});

Deno.test("refused() counts requests under way together once", async () => {
  const host = new Host("h", limits);
  const sentAt = Date.now();
  for (let i = 0; i < 20; i++) host.refused(sentAt, "0");
  ok(await wait(host) < 800);
});

Deno.test("answered() by a request from before the refusal changes nothing", async () => {
  const host = new Host("h", limits);
  const sentAt = Date.now();
  host.refused(sentAt, "3600");
  host.answered(sentAt);
  await rejects(host.turn(), FinalError);
});

Deno.test("turn() stops waiting on a signal", async () => {
  const host = new Host("h", { ...limits, patienceMs: 60_000 });
  host.refused(Date.now(), "30");
  await rejects(host.turn(AbortSignal.timeout(20)));
});

Deno.test("refused() doubles the interval, answers bring it back and no further", async () => {
  const host = new Host("h", { ...limits, intervalMs: 30 });
  await host.turn();
  /** Turns are dealt by the clock: one that is late makes none late after it. */
  const eightTurns = async () => {
    const start = performance.now();
    for (let i = 0; i < 8; i++) await host.turn();
    return performance.now() - start;
  };
  const within = (ms: number, least: number, most: number) =>
    ok(ms >= least && ms < most, `${ms} ms, expected ${least} to ${most}`);
  const answered = (times: number) => {
    for (let i = 0; i < times; i++) host.answered(Date.now() + 1);
  };
  within(await eightTurns(), 225, 400);
  host.refused(Date.now(), "0");
  await host.turn();
  within(await eightTurns(), 465, 900);
  answered(10);
  await host.turn();
  within(await eightTurns(), 370, 465);
  answered(1000);
  await host.turn();
  within(await eightTurns(), 225, 360);
});

Deno.test("turn() gives a host up when refusals outlast its patience, not before", async () => {
  const host = new Host("h", { ...limits, patienceMs: 250 });
  host.refused(Date.now(), null); // 100 ms
  await host.turn();
  host.refused(Date.now(), null); // 200 ms
  await rejects(host.turn(), /^Error: h refuses requests for 1 s/);
});

Deno.test("turn() gives up a host that nobody has reached four times, not one that has answered", async () => {
  for (const answers of [false, true]) {
    const host = new Host("h", { backoffMs: 0 });
    if (answers) host.succeeded(Date.now());
    const nobody = at("connect", new Error("nobody there"));
    for (let i = 0; i < 4; i++) {
      await host.turn();
      host.failed(Date.now(), nobody);
      await sleep(2);
    }
    if (answers) await host.turn();
    else {
      await rejects(host.turn(), (error: Error) => {
        strictEqual(
          error.message,
          "h is not reached, 4 times in a row: nobody there",
        );
        return stageOf(error) === "connect";
      });
    }
  }
});

Deno.test("lateTurn() leaves an interval to the others, and knows of a refusal", async () => {
  const host = new Host("h", { intervalMs: 40, backoffMs: 1000 });
  await Promise.all([host.turn(), host.turn(), host.turn()]);
  const start = performance.now();
  // Their turns were dealt while there was no slot for what they send.
  deepStrictEqual(
    await Promise.all([host.lateTurn(), host.lateTurn(), host.lateTurn()]),
    [true, true, true],
  );
  ok(performance.now() - start >= 115);
  host.refused(Date.now(), null);
  strictEqual(await host.lateTurn(), false);
});

Deno.test("failed() waits longer only while nobody is answered better, from the sending on", () => {
  const host = new Host("h", limits);
  const within = (ms: number, least: number, most: number) =>
    ok(ms >= least && ms <= most, `${ms} ms, expected ${least} to ${most}`);
  within(host.failed(Date.now()), 95, 100);
  within(host.failed(Date.now()), 195, 200);
  // One of those that were under way together.
  within(host.failed(Date.now() - 50), 140, 150);
  host.succeeded(Date.now());
  within(host.failed(Date.now()), 95, 100);
  host.succeeded(Date.now());
  // A silence of three seconds was pause enough.
  within(host.failed(Date.now() - 3000), 0, 0);
});

Deno.test("succeeded() tells those of before that they have stalled, not all of many", async () => {
  const host = new Host("h", { concurrency: 2 });
  const stalled: number[] = [];
  for (let i = 0; i < 8; i++) host.sent(() => stalled.push(i));
  const ended = host.sent(() => stalled.push(8));
  host.ended(ended);
  host.succeeded(Date.now() + 400);
  deepEqual(stalled, []);
  host.succeeded(Date.now() + 600);
  deepEqual(stalled, [0, 1, 2, 3, 4, 5]);
  await host.turn();
});

Deno.test("turn() catches up at twice the pace, not at once", async () => {
  const host = new Host("h", { ...limits, intervalMs: 20 });
  const times: number[] = [];
  const turns = Array.from({ length: 6 }, async () => {
    await host.turn();
    times.push(performance.now());
  });
  // This process is busy for the time of five turns.
  const start = performance.now();
  while (performance.now() - start < 110);
  await Promise.all(turns);
  const took = times.at(-1)! - times[0];
  ok(took >= 45 && took < 90, `${took} ms`);
});

Deno.test("Hosts forgets those that are idle, and none that is used or has refused", async () => {
  const hosts = new Hosts({ intervalMs: 5 });
  const kept: Host[] = [];
  const use = (name: string, task: (host: Host) => Promise<unknown>) =>
    hosts.use(name, async (host) => {
      kept.push(host);
      await task(host);
    });
  await use("refuses", async (host) => {
    await host.turn();
    host.refused(Date.now(), "0");
  });
  const done = Promise.withResolvers<void>();
  const used = use("is used", () => done.promise);
  for (let i = 0; i < 5000; i++) {
    await hosts.use(`${i}.example`, () => Promise.resolve());
  }
  ok(hosts.size <= 1000, `${hosts.size} hosts`);
  await use("refuses", () => Promise.resolve());
  await use("is used", () => Promise.resolve());
  strictEqual(kept[0], kept[2]);
  strictEqual(kept[1], kept[3]);
  done.resolve();
  await used;
});

Deno.test("failed() asks for pauses of 30 seconds at most, however often", () => {
  const host = new Host("h", { backoffMs: 1000 });
  const now = Date.now();
  const pauses = Array.from(
    { length: 100 },
    (_, i) => host.failed(now + i) - i,
  );
  ok(pauses[4] >= 15_900 && pauses[4] <= 16_100, `${pauses[4]} ms`);
  ok(pauses[99] >= 29_000 && pauses[99] <= 30_100, `${pauses[99]} ms`);
});

Deno.test("turn() gives a host up when failures outlast its patience, and forgives it a success", async () => {
  const host = new Host("h", { backoffMs: 1, patienceMs: 100 });
  host.succeeded(Date.now());
  host.failed(Date.now());
  await host.turn();
  await sleep(120);
  host.failed(Date.now());
  await rejects(host.turn(), /^Error: h has failed for 1 s: run again later/);
  host.succeeded(Date.now());
  await host.turn();
});
