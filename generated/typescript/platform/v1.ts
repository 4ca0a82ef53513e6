// Generated from the contracts: never edited, `make proto` writes it anew.
export * from "../revops/platform/v1/access_pb.js";
export * from "../revops/platform/v1/audit_pb.js";
export * from "../revops/platform/v1/exports_pb.js";
export * from "../revops/platform/v1/files_pb.js";
export * from "../revops/platform/v1/imports_pb.js";
export * from "../revops/platform/v1/operations_pb.js";
export * from "../revops/platform/v1/reasons_pb.js";
export * from "../revops/platform/v1/reference_pb.js";
export * from "../revops/platform/v1/tenants_pb.js";
export * from "../revops/platform/v1/tokens_pb.js";
export * from "../revops/platform/v1/webhooks_pb.js";
