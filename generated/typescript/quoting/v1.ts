// Generated from the contracts: never edited, `make proto` writes it anew.
export * from "../revops/quoting/v1/quotes_pb.js";
