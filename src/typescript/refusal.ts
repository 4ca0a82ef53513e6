/** A refusal as the caller gets it (AIP-193): the status code, and the reason that the contract documents. */
import { type Code, ConnectError } from "@connectrpc/connect";

import { BadRequestSchema, ErrorInfoSchema, RetryInfoSchema } from "../contract/google/rpc/error_details_pb.js";

/** A field of the request that was not accepted, as in `quote.lines[3].quantity`, and why. */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A call that was refused or did not get through. `reason` is empty if it was not the member that refused. */
export class RevopsError extends Error {
  override readonly name = "RevopsError";
  readonly code: Code;
  /** Name of a value of a `…Reason` enum, as in `QUOTE_STATE`. */
  readonly reason: string;
  /** Package of the contract that documents the reason, as in `revops.quoting.v1`. */
  readonly domain: string;
  /** What the reason speaks of, as in `{ quote: "quotes/a1", state: "REJECTED", allowed: "SUBMITTED" }`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];
  /** Milliseconds after which the call may succeed; undefined if the member did not say. */
  readonly retryAfterMs: number | undefined;
  /** The id the change was sent with: repeated with it, the change happens once, whatever became of this call. */
  readonly requestId: string;

  constructor(cause: unknown, requestId: string) {
    const error = ConnectError.from(cause);
    super(error.rawMessage, { cause });
    const [info] = error.findDetails(ErrorInfoSchema);
    const [bad] = error.findDetails(BadRequestSchema);
    const delay = error.findDetails(RetryInfoSchema)[0]?.retryDelay;
    this.code = error.code;
    this.reason = info?.reason ?? "";
    this.domain = info?.domain ?? "";
    this.metadata = info?.metadata ?? {};
    this.violations = (bad?.fieldViolations ?? []).map(({ field, description }) => ({ field, description }));
    this.retryAfterMs = delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
    this.requestId = requestId;
  }
}
