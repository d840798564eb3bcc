/**
 * When the next request to a host may go out.
 *
 * Requests leave one an interval. A host that refuses one gets a pause as long
 * as it asks for; its interval doubles, and shrinks again with each answer. A
 * host that goes on refusing, or cannot be reached, is given up, without a
 * request for each picture still missing. A request that stalls, while others are
 * answered, makes room for the next. All times are milliseconds.
 *
 * Touches no files and no network.
 *
 * ```ts
 * import { Host } from "#lib/http/hosts.ts";
 * import { ok } from "node:assert/strict";
 *
 * const host = new Host("example.org", { intervalMs: 20, backoffMs: 50 });
 * const start = Date.now();
 * await host.turn(); // at once
 * await host.turn(); // 20 ms later
 * host.refused(Date.now(), null);
 * await host.turn(); // 50 ms later
 * ok(Date.now() - start >= 70);
 * ```
 *
 * @module
 */
import { setTimeout as sleep } from "node:timers/promises";
import pLimit, { type LimitFunction } from "p-limit";
import { FinalError } from "./final_error.ts";
import { at, stageOf } from "./stages.ts";

/** How a host is treated; milliseconds. */
export interface HostLimits {
  /** Least time between two requests. @default {0} */
  intervalMs: number;
  /**
   * Pause after a refusal that names none, and from a request that fails in a
   * way that may pass to the next try; doubles while the host gives no better
   * answer to anyone, a failure's up to 30 seconds. @default {1000}
   */
  backoffMs: number;
  /**
   * How long nothing but refusals, or nothing but failures, may go on before the
   * host is given up. @default {120_000}
   */
  patienceMs: number;
  /** Further requests after a failure that may pass. @default {3} */
  retries: number;
  /**
   * Requests under way or waiting for their turn: a pause holds all of them,
   * so there should not be many. As many again may be second tries, and three
   * times as many may have stalled. @default {Infinity}
   */
  concurrency: number;
  /** Runs what is under way to all hosts, where that has a limit. */
  slots?: LimitFunction;
}

const DEFAULTS: HostLimits = {
  intervalMs: 0,
  backoffMs: 1000,
  patienceMs: 120_000,
  retries: 3,
  concurrency: Infinity,
};

/** A host that nobody has reached is given up after so many attempts in a row. */
const MOST_UNREACHED = 4;

/** Longest pause after a failure, in milliseconds. */
const LONGEST_PAUSE_MS = 30_000;

/** A request has stalled when one that was sent so much later is answered. */
const STALL_MS = 500;

/** A request under way. */
export interface SentRequest {
  /** When it went out, as of Date.now(). */
  at: number;
  /** Is told that it has stalled. */
  makeRoom: () => void;
}

/**
 * Runs a task in a queue, which it leaves when it ends or has stalled.
 *
 * @returns What the task returns, whenever it does.
 */
export async function inQueue<Content>(
  queue: LimitFunction,
  stalled: Promise<void>,
  task: () => Promise<Content>,
): Promise<Content> {
  let outcome!: Promise<Content>;
  await queue(() => {
    outcome = task();
    return Promise.race([outcome, stalled]).catch(() => {});
  });
  return await outcome;
}

/** One host's timetable. */
export class Host {
  /** How it is treated. */
  readonly limits: HostLimits;
  /** Runs what needs turns, `concurrency` at once. */
  readonly queue: LimitFunction;
  /** Runs what is tried once more, as many at once. */
  readonly again: LimitFunction;
  #name: string;
  #intervalMs: number;
  #nextTurn = 0;
  #lastTurn = 0;
  #pausedUntil = 0;
  /** Refusals in a row, and when the first and the last of them came. */
  #refusals = 0;
  #refusingSince = 0;
  #lastRefusal = 0;
  /** Answers that were no refusals. */
  #answers = 0;
  /** Failures since the last success, and when the first and the last came. */
  #failures = 0;
  #failingSince = 0;
  #lastFailure = 0;
  /** Why nobody has reached it yet. */
  #unreached?: Error;
  #isReached = false;
  /** Requests under way, the oldest first. */
  readonly #underWay = new Set<SentRequest>();

  /**
   * Starts with no turn taken.
   *
   * @param name What messages call it: "example.org".
   */
  constructor(name: string, limits: Partial<HostLimits> = {}) {
    this.#name = name;
    this.limits = { ...DEFAULTS, ...limits };
    this.queue = pLimit(this.limits.concurrency);
    this.again = pLimit(this.limits.concurrency);
    this.#intervalMs = this.limits.intervalMs;
  }

  /**
   * Waits until the caller may send one request.
   *
   * @throws {FinalError} If the host has been given up.
   */
  async turn(signal?: AbortSignal): Promise<void> {
    do {
      this.#giveUpWhenHopeless();
      const turn = Math.max(Date.now(), this.#nextTurn, this.#pausedUntil);
      this.#nextTurn = turn + this.#intervalMs;
      await sleepUntil(turn, signal);
      // Turns that come late, since this process was busy, do not come at once.
      this.#lastTurn = Math.max(
        Date.now(),
        this.#lastTurn + this.#intervalMs / 2,
      );
      await sleepUntil(this.#lastTurn, signal);
      // While this caller slept, another's request may have been refused.
    } while (Date.now() < this.#pausedUntil);
  }

  /**
   * Waits again, one whose turn came while there was no room for its request.
   *
   * @returns False if the host has refused another's meanwhile: then another turn
   *   is needed.
   */
  async lateTurn(signal?: AbortSignal): Promise<boolean> {
    this.#lastTurn = Math.max(Date.now(), this.#lastTurn + this.#intervalMs);
    await sleepUntil(this.#lastTurn, signal);
    return Date.now() >= this.#pausedUntil;
  }

  /**
   * Notes that the host refused a request.
   *
   * @param sentAt When the request went out, as of Date.now().
   * @param retryAfter Its Retry-After header: seconds, a date, or null.
   */
  refused(sentAt: number, retryAfter: string | null): void {
    const now = Date.now();
    this.#isReached = true;
    // Requests under way together are refused together: that is one refusal.
    if (sentAt > this.#lastRefusal) {
      if (this.#refusals++ === 0) this.#refusingSince = now;
      this.#lastRefusal = now;
      this.#intervalMs = Math.max(1, 2 * this.#intervalMs);
    }
    const header = retryAfter ?? "";
    const asked = /^\d+$/.test(header)
      ? Number(header) * 1000
      : Date.parse(header) - now;
    const backoff = this.limits.backoffMs * 2 ** (this.#refusals - 1);
    // A pause of nothing would let turns go that were dealt at the old pace.
    const pause = Math.max(
      this.#intervalMs,
      Number.isNaN(asked) ? backoff : asked,
    );
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause);
  }

  /**
   * Notes an answer that was no refusal: the pace slowly picks up again.
   *
   * @param sentAt When the request went out, as of Date.now().
   */
  answered(sentAt: number): void {
    this.#answers++;
    if (sentAt <= this.#lastRefusal) return;
    this.#refusals = 0;
    this.#intervalMs = Math.max(
      this.limits.intervalMs,
      this.#intervalMs * 0.98,
    );
  }

  /** How many requests had an answer so far that was no refusal. */
  get answers(): number {
    return this.#answers;
  }

  /** Notes a request that goes out now. */
  sent(makeRoom: () => void): SentRequest {
    const request = { at: Date.now(), makeRoom };
    this.#underWay.add(request);
    return request;
  }

  /** Notes that a request is under way no more. */
  ended(request: SentRequest): void {
    this.#underWay.delete(request);
  }

  /**
   * Notes a failure that may pass.
   *
   * @param sentAt When the request went out, as of Date.now().
   * @param unreached Why nobody was there to answer, if nobody was.
   * @returns How long to wait before it is sent again.
   */
  failed(sentAt: number, unreached?: Error): number {
    const now = Date.now();
    this.#unreached = unreached;
    this.#isReached ||= !unreached;
    // What was under way together fails together.
    if (sentAt >= this.#lastFailure) {
      if (this.#failures++ === 0) this.#failingSince = now;
      this.#lastFailure = now;
    }
    const pause = Math.min(
      LONGEST_PAUSE_MS,
      this.limits.backoffMs * 2 ** Math.max(0, this.#failures - 1),
    );
    return Math.max(0, sentAt + pause - now);
  }

  /**
   * Notes a good answer: what was sent long before it has stalled.
   *
   * @param sentAt When the request went out, as of Date.now().
   */
  succeeded(sentAt: number): void {
    this.#failures = 0;
    this.#isReached = true;
    // Of a host where most stalls, some go on waiting in their places.
    const most = 3 * this.limits.concurrency;
    for (const [place, { at, makeRoom }] of [...this.#underWay].entries()) {
      if (place >= most || sentAt - at < STALL_MS) break;
      makeRoom();
    }
  }

  /** Whether a timetable made anew would say the same. */
  get isForgettable(): boolean {
    const isAsAtFirst = this.#refusals === 0 && !this.#isDead &&
      this.#intervalMs === this.limits.intervalMs;
    const restedAt = Math.max(this.#nextTurn, this.#pausedUntil) +
      (isAsAtFirst ? 0 : this.limits.patienceMs);
    return this.#underWay.size === 0 && Date.now() >= restedAt;
  }

  get #isDead(): boolean {
    return !this.#isReached && this.#failures >= MOST_UNREACHED;
  }

  #giveUpWhenHopeless(): void {
    if (this.#isDead) {
      const { message } = this.#unreached!;
      const times = `${this.#failures} times in a row`;
      throw at(
        stageOf(this.#unreached),
        new FinalError(`${this.#name} is not reached, ${times}: ${message}`),
      );
    }
    const failing = this.#failures > 0 ? Date.now() - this.#failingSince : 0;
    if (failing > this.limits.patienceMs) {
      throw at(
        "status",
        new FinalError(
          `${this.#name} has failed for ${Math.ceil(failing / 1000)} s: run ` +
            "again later",
        ),
      );
    }
    if (this.#refusals === 0) return;
    const until = Math.max(Date.now(), this.#pausedUntil);
    const refusing = until - this.#refusingSince;
    if (refusing <= this.limits.patienceMs) return;
    throw at(
      "refused",
      new FinalError(
        `${this.#name} refuses requests for ${Math.ceil(refusing / 1000)} s: ` +
          "run again later",
      ),
    );
  }
}

/** Waits until a time, as of Date.now(), or a signal. */
async function sleepUntil(time: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  const ms = time - Date.now();
  if (ms > 0) await sleep(ms, undefined, { signal });
}

/** Timetables that are kept at least, before one is forgotten. */
const FEW = 500;

/** The timetables of many hosts. What is idle is forgotten: there may be millions. */
export class Hosts {
  readonly #limits: Partial<HostLimits>;
  readonly #known = new Map<string, { host: Host; users: number }>();
  /** How many there may be before those that are idle are looked for. */
  #enough = FEW;

  /** Starts with none. */
  constructor(limits: Partial<HostLimits>) {
    this.#limits = limits;
  }

  /** How many are known. */
  get size(): number {
    return this.#known.size;
  }

  /** Does something with a host's timetable, which is kept as long. */
  async use<Outcome>(
    name: string,
    task: (host: Host) => Promise<Outcome>,
  ): Promise<Outcome> {
    let known = this.#known.get(name);
    if (!known) {
      if (this.size >= this.#enough) this.#forget();
      known = { host: new Host(name, this.#limits), users: 0 };
      this.#known.set(name, known);
    }
    known.users++;
    try {
      return await task(known.host);
    } finally {
      known.users--;
    }
  }

  #forget(): void {
    for (const [name, { host, users }] of this.#known) {
      if (users === 0 && host.isForgettable) this.#known.delete(name);
    }
    this.#enough = Math.max(FEW, 2 * this.size);
  }
}
