/** A refusal as the caller gets it (AIP-193): the status code, and the reason that the contract documents. */
import { ConnectError, type Interceptor } from "@connectrpc/connect";

import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../contract/google/rpc/error_details_pb.js";

/** A field of the request that was not accepted, as in `quote.lines[3].quantity`, and why. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A call that was refused or did not get through. `reason` is empty if it was not the member that refused. */
export class RevopsError extends ConnectError {
  /** Name of a value of a `…Reason` enum, as in `QUOTE_STATE`. */
  readonly reason: string;
  /** Package of the contract that documents the reason, as in `revops.quoting.v1`. */
  readonly domain: string;
  /** What the reason speaks of, as in `{ quote: "quotes/a1", state: "REJECTED", allowed: "SUBMITTED" }`. */
  readonly about: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  /** Milliseconds after which the call may succeed; undefined if the member did not say. */
  readonly retryAfterMs: number | undefined;
  /** The id the change was sent with: repeated with it, the change happens once, whatever became of this call. */
  readonly requestId: string;

  /** Connect tells its errors by name and shape, which would make each of them one of ours. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return Object.prototype.isPrototypeOf.call(RevopsError.prototype, value as object);
  }

  constructor(error: ConnectError, requestId: string) {
    super(error.rawMessage, error.code, error.metadata, undefined, error.cause);
    this.details = error.details;
    const [info] = error.findDetails(ErrorInfoSchema);
    const [bad] = error.findDetails(BadRequestSchema);
    const [retry] = error.findDetails(RetryInfoSchema);
    const delay = retry?.retryDelay;
    this.reason = info?.reason ?? "";
    this.domain = info?.domain ?? "";
    this.about = info?.metadata ?? {};
    this.violations = (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description }));
    this.retryAfterMs = delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    this.requestId = requestId;
  }
}

/** Turns what fails below into `RevopsError`, also while answers are streamed. */
export const refusals: Interceptor = (next) => async (request) => {
  const requestId = "requestId" in request.message ? String(request.message.requestId) : "";
  const refusal = (error: unknown) => new RevopsError(ConnectError.from(error), requestId);
  async function* streamed<Answer>(answers: AsyncIterable<Answer>): AsyncIterable<Answer> {
    try {
      yield* answers;
    } catch (error) {
      throw refusal(error);
    }
  }
  try {
    const answer = await next(request);
    return answer.stream ? { ...answer, message: streamed(answer.message) } : answer;
  } catch (error) {
    throw refusal(error);
  }
};
