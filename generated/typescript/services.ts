// Generated from the contracts: never edited, `make proto` writes it anew.

import { PriceBookService, ProductService } from "./catalog/v1.js";
import { AuditService, BusinessCalendarService, DeadLetterService, ExchangeRateService, ExportService, FileService, ImportService, LegalEntityService, OperationService, RoleService, ServiceAccountService, TenantService, TokenService, WebhookService } from "./platform/v1.js";
import { ApprovalService, QuoteService } from "./quoting/v1.js";

/** The services, by capability, under the names by which a connection offers them. */
export const services = {
  catalog: {
    /** Products and their rate plans. */
    products: ProductService,
    /** Price books and their entries. */
    priceBooks: PriceBookService,
  },
  platform: {
    /** Roles of a tenant beside the built-in ones. */
    roles: RoleService,
    /** Service accounts and their API keys. */
    serviceAccounts: ServiceAccountService,
    /** The audit log of the tenant. */
    audit: AuditService,
    /** Events and timers that failed for good. */
    deadLetters: DeadLetterService,
    /** Exports of resources of any kind that can be listed. */
    exports: ExportService,
    /** Files. Who has `platform.files.list` reaches those of the whole tenant, anybody else their own. */
    files: FileService,
    /** Imports of resources of any kind that can be created. */
    imports: ImportService,
    /** Long jobs. Who has `platform.operations.list` reaches those of the whole tenant, anybody else those that they started. Fields have the numbers of `google.longrunning.Operations`, under whose name the service is served as well. */
    operations: OperationService,
    /** The companies that sell. */
    legalEntities: LegalEntityService,
    /** Exchange rates, one resource a rate and a day; never edited, a later one supersedes. */
    exchangeRates: ExchangeRateService,
    /** Working days and hours. */
    businessCalendars: BusinessCalendarService,
    /** Tenants. Only callers of the platform tenant may use it. */
    tenants: TenantService,
    /** Access tokens, who issues them, and whose a credential is. */
    tokens: TokenService,
    /** Receivers of events, and what is delivered to them by the Standard Webhooks specification. */
    webhooks: WebhookService,
  },
  quoting: {
    /** Quotes and their versions. */
    quotes: QuoteService,
    /** Approvals: who has to agree to a deal, under which rules, and within which bounds the agreement holds. */
    approvals: ApprovalService,
  },
} as const;
