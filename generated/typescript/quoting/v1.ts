// Generated from the contracts: never edited, `make proto` writes it anew.
export * from "../revops/quoting/v1/approval_events_pb.js";
export * from "../revops/quoting/v1/approval_people_pb.js";
export * from "../revops/quoting/v1/approval_policies_pb.js";
export * from "../revops/quoting/v1/approvals_pb.js";
export * from "../revops/quoting/v1/deal_facts_pb.js";
export * from "../revops/quoting/v1/quotes_pb.js";
