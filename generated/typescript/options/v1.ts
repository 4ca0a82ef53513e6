// Generated from the contracts: never edited, `make proto` writes it anew.
export * from "../revops/options/v1/options_pb.js";
