/** When a call is repeated: as gRPC's retries by service config do in other clients (gRFC A6). */
import { setTimeout as sleep } from "node:timers/promises";

import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 3000;
const GROWTH = 3;
const REPEATABLE = new Set([Code.Unavailable, Code.ResourceExhausted, Code.Aborted]);

/** Repeats what was not done or may be repeated, for as long as the deadline allows and the connection is not closed. */
export function retries(closed: AbortSignal): Interceptor {
  return (next) => async (request) => {
    const ended = AbortSignal.any([closed, request.signal]);
    for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait = Math.min(wait * GROWTH, LONGEST_WAIT_MS)) {
      try {
        return await next(request);
      } catch (cause) {
        const error = ended.aborted ? ConnectError.from(cause) : failure(cause);
        const delay = waitMs(error, wait);
        if (request.stream || attempt === ATTEMPTS || delay === undefined || ended.aborted) {
          throw error;
        }
        await sleep(delay, undefined, { signal: ended });
      }
    }
  };
}

/** What failed a call that nobody cancelled: a connection that breaks ends its calls with that code all the same. */
function failure(cause: unknown): ConnectError {
  const error = ConnectError.from(cause);
  return error.code === Code.Canceled ? new ConnectError("the connection broke", Code.Unavailable, error.metadata, undefined, cause) : error;
}

/** Milliseconds to wait before the call is repeated; undefined if it is not to be. The member's word goes before our own. */
function waitMs(error: ConnectError, wait: number): number | undefined {
  if (!REPEATABLE.has(error.code)) {
    return undefined;
  }
  const pushback = error.metadata.get("grpc-retry-pushback-ms");
  if (pushback === null) {
    return wait * (0.8 + 0.4 * Math.random());
  }
  return Number(pushback) >= 0 ? Number(pushback) : undefined;
}
