/** What makes it safe to repeat a call, and when one is repeated: as gRPC's retries by service config do elsewhere (gRFC A6). */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { clone } from "@bufbuild/protobuf";
import { Code, ConnectError, type Interceptor } from "@connectrpc/connect";

const ATTEMPTS = 5;
const FIRST_WAIT_MS = 200;
const LONGEST_WAIT_MS = 3000;
const GROWTH = 3;
const REPEATABLE = new Set([Code.Unavailable, Code.ResourceExhausted, Code.Aborted]);

/** Gives a change a `request_id` if it has none, so that it happens once however often it is sent. */
export const requestIds: Interceptor = (next) => (request) => {
  if (request.stream || !("requestId" in request.message) || request.message.requestId !== "") {
    return next(request);
  }
  const message = Object.assign(clone(request.method.input, request.message), { requestId: randomUUID() });
  return next({ ...request, message });
};

/** Repeats what was not done or may be repeated, for as long as the deadline allows. */
export const retries: Interceptor = (next) => async (request) => {
  for (let attempt = 1, wait = FIRST_WAIT_MS; ; attempt++, wait = Math.min(wait * GROWTH, LONGEST_WAIT_MS)) {
    try {
      return await next(request);
    } catch (error) {
      const delay = waitMs(ConnectError.from(error), wait);
      if (request.stream || attempt === ATTEMPTS || delay === undefined || request.signal.aborted) {
        throw error;
      }
      await sleep(delay, undefined, { signal: request.signal });
    }
  }
};

/** Milliseconds to wait before the call is repeated; undefined if it is not to be. The member's word goes before our own. */
function waitMs(error: ConnectError, wait: number): number | undefined {
  if (!REPEATABLE.has(error.code)) {
    return undefined;
  }
  const pushback = error.metadata.get("grpc-retry-pushback-ms");
  if (pushback === null) {
    return wait * (0.8 + 0.4 * Math.random());
  }
  const said = Number(pushback);
  return said >= 0 ? said : undefined;
}
