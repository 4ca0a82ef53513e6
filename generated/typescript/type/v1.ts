// Generated from the contracts: never edited, `make proto` writes it anew.
export * from "../revops/type/v1/discount_pb.js";
export * from "../revops/type/v1/money_pb.js";
export * from "../revops/type/v1/price_formula_pb.js";
export * from "../revops/type/v1/pricing_pb.js";
export * from "../revops/type/v1/proof_pb.js";
export * from "../revops/type/v1/proration_pb.js";
