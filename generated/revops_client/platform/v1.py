# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.platform.v1: messages and services."""

from collections.abc import AsyncIterator
from revops_client.google.protobuf import Empty
from revops_client.revops.platform.v1 import (
    AddBusinessHoursRequest,
    AddBusinessHoursResponse,
    ApiKey,
    AuditEntry,
    BusinessCalendar,
    CreateApiKeyRequest,
    CreateBusinessCalendarRequest,
    CreateExchangeRateRequest,
    CreateLegalEntityRequest,
    CreateRoleRequest,
    CreateServiceAccountRequest,
    CreateTenantRequest,
    DeadLetter,
    DeleteApiKeyRequest,
    DeleteRoleRequest,
    DeleteServiceAccountRequest,
    ExchangeRate,
    GetBusinessCalendarRequest,
    GetExchangeRateRequest,
    GetLegalEntityRequest,
    GetRoleRequest,
    GetServiceAccountRequest,
    GetTenantRequest,
    LegalEntity,
    ListApiKeysRequest,
    ListApiKeysResponse,
    ListAuditEntriesRequest,
    ListAuditEntriesResponse,
    ListBusinessCalendarsRequest,
    ListBusinessCalendarsResponse,
    ListDeadLettersRequest,
    ListDeadLettersResponse,
    ListExchangeRatesRequest,
    ListExchangeRatesResponse,
    ListLegalEntitiesRequest,
    ListLegalEntitiesResponse,
    ListRolesRequest,
    ListRolesResponse,
    ListServiceAccountsRequest,
    ListServiceAccountsResponse,
    ListTenantsRequest,
    ListTenantsResponse,
    PlatformReason,
    ReferenceReason,
    ReplayDeadLetterRequest,
    ResolveExchangeRateRequest,
    ResumeTenantRequest,
    Role,
    RoleReason,
    ServiceAccount,
    StreamAuditEntriesRequest,
    SuspendTenantRequest,
    Tenant,
    TenantCreated,
    TenantEditionChanged,
    TenantReason,
    TenantResumed,
    TenantState,
    TenantSuspended,
    UpdateBusinessCalendarRequest,
    UpdateLegalEntityRequest,
    UpdateRoleRequest,
    UpdateServiceAccountRequest,
    UpdateTenantRequest,
    WorkingHours,
)
from revops_rpc.calls import Calls, Metadata, NONE
from revops_rpc.paging import Pages

__all__ = [
    "AddBusinessHoursRequest",
    "AddBusinessHoursResponse",
    "ApiKey",
    "AuditEntry",
    "AuditService",
    "BusinessCalendar",
    "BusinessCalendarService",
    "CreateApiKeyRequest",
    "CreateBusinessCalendarRequest",
    "CreateExchangeRateRequest",
    "CreateLegalEntityRequest",
    "CreateRoleRequest",
    "CreateServiceAccountRequest",
    "CreateTenantRequest",
    "DeadLetter",
    "DeadLetterService",
    "DeleteApiKeyRequest",
    "DeleteRoleRequest",
    "DeleteServiceAccountRequest",
    "ExchangeRate",
    "ExchangeRateService",
    "GetBusinessCalendarRequest",
    "GetExchangeRateRequest",
    "GetLegalEntityRequest",
    "GetRoleRequest",
    "GetServiceAccountRequest",
    "GetTenantRequest",
    "LegalEntity",
    "LegalEntityService",
    "ListApiKeysRequest",
    "ListApiKeysResponse",
    "ListAuditEntriesRequest",
    "ListAuditEntriesResponse",
    "ListBusinessCalendarsRequest",
    "ListBusinessCalendarsResponse",
    "ListDeadLettersRequest",
    "ListDeadLettersResponse",
    "ListExchangeRatesRequest",
    "ListExchangeRatesResponse",
    "ListLegalEntitiesRequest",
    "ListLegalEntitiesResponse",
    "ListRolesRequest",
    "ListRolesResponse",
    "ListServiceAccountsRequest",
    "ListServiceAccountsResponse",
    "ListTenantsRequest",
    "ListTenantsResponse",
    "PlatformReason",
    "PlatformServices",
    "ReferenceReason",
    "ReplayDeadLetterRequest",
    "ResolveExchangeRateRequest",
    "ResumeTenantRequest",
    "Role",
    "RoleReason",
    "RoleService",
    "ServiceAccount",
    "ServiceAccountService",
    "StreamAuditEntriesRequest",
    "SuspendTenantRequest",
    "Tenant",
    "TenantCreated",
    "TenantEditionChanged",
    "TenantReason",
    "TenantResumed",
    "TenantService",
    "TenantState",
    "TenantSuspended",
    "UpdateBusinessCalendarRequest",
    "UpdateLegalEntityRequest",
    "UpdateRoleRequest",
    "UpdateServiceAccountRequest",
    "UpdateTenantRequest",
    "WorkingHours",
]


class RoleService:
    """Roles of a tenant beside the built-in ones."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.RoleService/"
        self._create_role = calls.unary(at + "CreateRole", Role, request_id=3)
        self._get_role = calls.unary(at + "GetRole", Role)
        self._list_roles = calls.paged(
            at + "ListRoles",
            ListRolesResponse,
            lambda page: page.roles,
            page_token=2,
        )
        self._update_role = calls.unary(at + "UpdateRole", Role, request_id=3)
        self._delete_role = calls.unary(at + "DeleteRole", Empty, request_id=3)

    async def create_role(
        self, request: CreateRoleRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Role:
        """Creates a role; nobody can put into it what they lack themselves. Fails with RESOURCE_EXISTS,
        ROLE_PERMISSION_UNKNOWN, ROLE_RESERVED, ROLE_EXCEEDS_CALLER. Idempotent by `request_id`.
        """
        return await self._create_role(request, timeout, metadata)

    async def get_role(
        self, request: GetRoleRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Role:
        """Gets a role. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_role(request, timeout, metadata)

    def list_roles(
        self, request: ListRolesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListRolesResponse, Role]:
        """Lists the tenant's roles; the built-in ones are in the reference."""
        return self._list_roles(request, timeout, metadata)

    async def update_role(
        self, request: UpdateRoleRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Role:
        """Changes a role; callers notice within 30 s. Fails with ROLE_PERMISSION_UNKNOWN,
        ROLE_EXCEEDS_CALLER, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_role(request, timeout, metadata)

    async def delete_role(
        self, request: DeleteRoleRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a role; who had only this one can do nothing. Fails with ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        await self._delete_role(request, timeout, metadata)


class ServiceAccountService:
    """Service accounts and their API keys."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.ServiceAccountService/"
        self._create_service_account = calls.unary(at + "CreateServiceAccount", ServiceAccount, request_id=3)
        self._get_service_account = calls.unary(at + "GetServiceAccount", ServiceAccount)
        self._list_service_accounts = calls.paged(
            at + "ListServiceAccounts",
            ListServiceAccountsResponse,
            lambda page: page.service_accounts,
            page_token=2,
        )
        self._update_service_account = calls.unary(at + "UpdateServiceAccount", ServiceAccount, request_id=3)
        self._delete_service_account = calls.unary(at + "DeleteServiceAccount", Empty, request_id=3)
        self._create_api_key = calls.unary(at + "CreateApiKey", ApiKey, request_id=3)
        self._list_api_keys = calls.paged(
            at + "ListApiKeys",
            ListApiKeysResponse,
            lambda page: page.api_keys,
            page_token=3,
        )
        self._delete_api_key = calls.unary(at + "DeleteApiKey", Empty, request_id=2)

    async def create_service_account(
        self, request: CreateServiceAccountRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ServiceAccount:
        """Creates a service account; nobody can give it what they lack themselves. Fails with
        RESOURCE_EXISTS, ROLE_UNKNOWN, ROLE_EXCEEDS_CALLER. Idempotent by `request_id`.
        """
        return await self._create_service_account(request, timeout, metadata)

    async def get_service_account(
        self, request: GetServiceAccountRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ServiceAccount:
        """Gets a service account. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_service_account(request, timeout, metadata)

    def list_service_accounts(
        self, request: ListServiceAccountsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListServiceAccountsResponse, ServiceAccount]:
        """Lists service accounts."""
        return self._list_service_accounts(request, timeout, metadata)

    async def update_service_account(
        self, request: UpdateServiceAccountRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ServiceAccount:
        """Changes a service account; its keys notice within 30 s. Fails with ROLE_UNKNOWN,
        ROLE_EXCEEDS_CALLER, ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_service_account(request, timeout, metadata)

    async def delete_service_account(
        self, request: DeleteServiceAccountRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a service account and its keys, which stop within 30 s. Fails with ETAG_MISMATCH.
        Idempotent by `request_id`.
        """
        await self._delete_service_account(request, timeout, metadata)

    async def create_api_key(
        self, request: CreateApiKeyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApiKey:
        """Creates an API key; the secret is in this answer and never again, not even in its replay. Who
        creates it could act as the account, so nobody can who lacks what it may do. Fails with
        RESOURCE_NOT_FOUND, ROLE_EXCEEDS_CALLER. Idempotent by `request_id`.
        """
        return await self._create_api_key(request, timeout, metadata)

    def list_api_keys(
        self, request: ListApiKeysRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListApiKeysResponse, ApiKey]:
        """Lists the keys of a service account, without secrets."""
        return self._list_api_keys(request, timeout, metadata)

    async def delete_api_key(
        self, request: DeleteApiKeyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Revokes a key within 30 s. Fails with RESOURCE_NOT_FOUND. Idempotent by `request_id`."""
        await self._delete_api_key(request, timeout, metadata)


class AuditService:
    """The audit log of the tenant."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.AuditService/"
        self._list_audit_entries = calls.paged(
            at + "ListAuditEntries",
            ListAuditEntriesResponse,
            lambda page: page.entries,
            page_token=2,
        )
        self._stream_audit_entries = calls.streaming(at + "StreamAuditEntries", AuditEntry)

    def list_audit_entries(
        self, request: ListAuditEntriesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListAuditEntriesResponse, AuditEntry]:
        """Lists entries, newest first."""
        return self._list_audit_entries(request, timeout, metadata)

    def stream_audit_entries(
        self, request: StreamAuditEntriesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> AsyncIterator[AuditEntry]:
        """Streams entries from an instant on, oldest first, and goes on with new ones until the caller ends
        it. Each is sent once; one whose call took longer to commit than a later one follows it.
        """
        return self._stream_audit_entries(request, timeout, metadata)


class DeadLetterService:
    """Events and timers that failed for good."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.DeadLetterService/"
        self._list_dead_letters = calls.paged(
            at + "ListDeadLetters",
            ListDeadLettersResponse,
            lambda page: page.dead_letters,
            page_token=2,
        )
        self._replay_dead_letter = calls.unary(at + "ReplayDeadLetter", DeadLetter, request_id=2)

    def list_dead_letters(
        self, request: ListDeadLettersRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListDeadLettersResponse, DeadLetter]:
        """Lists dead letters, newest first."""
        return self._list_dead_letters(request, timeout, metadata)

    async def replay_dead_letter(
        self, request: ReplayDeadLetterRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> DeadLetter:
        """Has a dead letter run again, soon and with all its attempts; it is gone when that succeeds, and
        never applied twice. Fails with RESOURCE_NOT_FOUND. Idempotent by `request_id`.
        """
        return await self._replay_dead_letter(request, timeout, metadata)


class LegalEntityService:
    """The companies that sell."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.LegalEntityService/"
        self._create_legal_entity = calls.unary(at + "CreateLegalEntity", LegalEntity, request_id=3)
        self._get_legal_entity = calls.unary(at + "GetLegalEntity", LegalEntity)
        self._list_legal_entities = calls.paged(
            at + "ListLegalEntities",
            ListLegalEntitiesResponse,
            lambda page: page.legal_entities,
            page_token=2,
        )
        self._update_legal_entity = calls.unary(at + "UpdateLegalEntity", LegalEntity, request_id=3)

    async def create_legal_entity(
        self, request: CreateLegalEntityRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> LegalEntity:
        """Creates a legal entity. Fails with RESOURCE_EXISTS, TIME_ZONE_UNKNOWN, CURRENCY_UNKNOWN. Idempotent
        by `request_id`.
        """
        return await self._create_legal_entity(request, timeout, metadata)

    async def get_legal_entity(
        self, request: GetLegalEntityRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> LegalEntity:
        """Gets a legal entity. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_legal_entity(request, timeout, metadata)

    def list_legal_entities(
        self, request: ListLegalEntitiesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListLegalEntitiesResponse, LegalEntity]:
        """Lists them."""
        return self._list_legal_entities(request, timeout, metadata)

    async def update_legal_entity(
        self, request: UpdateLegalEntityRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> LegalEntity:
        """Changes a legal entity. Fails with ETAG_MISMATCH, TIME_ZONE_UNKNOWN. Idempotent by `request_id`."""
        return await self._update_legal_entity(request, timeout, metadata)


class ExchangeRateService:
    """Exchange rates, one resource a rate and a day; never edited, a later one supersedes."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.ExchangeRateService/"
        self._create_exchange_rate = calls.unary(at + "CreateExchangeRate", ExchangeRate, request_id=3)
        self._get_exchange_rate = calls.unary(at + "GetExchangeRate", ExchangeRate)
        self._list_exchange_rates = calls.paged(
            at + "ListExchangeRates",
            ListExchangeRatesResponse,
            lambda page: page.exchange_rates,
            page_token=2,
        )
        self._resolve_exchange_rate = calls.unary(at + "ResolveExchangeRate", ExchangeRate)

    async def create_exchange_rate(
        self, request: CreateExchangeRateRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ExchangeRate:
        """Creates a rate. Fails with RESOURCE_EXISTS, RATE_SAME_CURRENCY, CURRENCY_UNKNOWN. Idempotent by
        `request_id`.
        """
        return await self._create_exchange_rate(request, timeout, metadata)

    async def get_exchange_rate(
        self, request: GetExchangeRateRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ExchangeRate:
        """Gets a rate. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_exchange_rate(request, timeout, metadata)

    def list_exchange_rates(
        self, request: ListExchangeRatesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListExchangeRatesResponse, ExchangeRate]:
        """Lists them."""
        return self._list_exchange_rates(request, timeout, metadata)

    async def resolve_exchange_rate(
        self, request: ResolveExchangeRateRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ExchangeRate:
        """The rate in force on a day: the one with the latest effective day on or before it, of several the
        one created last. The inverse of a rate is never assumed, because who buys and who sells are quoted
        differently and 1 / rate rounds: publish both directions. Fails with RATE_SAME_CURRENCY, RATE_MISSING;
        a missing rate is never 1.
        """
        return await self._resolve_exchange_rate(request, timeout, metadata)


class BusinessCalendarService:
    """Working days and hours."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.BusinessCalendarService/"
        self._create_business_calendar = calls.unary(at + "CreateBusinessCalendar", BusinessCalendar, request_id=3)
        self._get_business_calendar = calls.unary(at + "GetBusinessCalendar", BusinessCalendar)
        self._list_business_calendars = calls.paged(
            at + "ListBusinessCalendars",
            ListBusinessCalendarsResponse,
            lambda page: page.business_calendars,
            page_token=2,
        )
        self._update_business_calendar = calls.unary(at + "UpdateBusinessCalendar", BusinessCalendar, request_id=3)
        self._add_business_hours = calls.unary(at + "AddBusinessHours", AddBusinessHoursResponse)

    async def create_business_calendar(
        self, request: CreateBusinessCalendarRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> BusinessCalendar:
        """Creates a calendar. Fails with RESOURCE_EXISTS, TIME_ZONE_UNKNOWN. Idempotent by `request_id`."""
        return await self._create_business_calendar(request, timeout, metadata)

    async def get_business_calendar(
        self, request: GetBusinessCalendarRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> BusinessCalendar:
        """Gets a calendar. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_business_calendar(request, timeout, metadata)

    def list_business_calendars(
        self, request: ListBusinessCalendarsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListBusinessCalendarsResponse, BusinessCalendar]:
        """Lists them."""
        return self._list_business_calendars(request, timeout, metadata)

    async def update_business_calendar(
        self, request: UpdateBusinessCalendarRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> BusinessCalendar:
        """Changes a calendar. Fails with ETAG_MISMATCH, TIME_ZONE_UNKNOWN. Idempotent by `request_id`."""
        return await self._update_business_calendar(request, timeout, metadata)

    async def add_business_hours(
        self, request: AddBusinessHoursRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> AddBusinessHoursResponse:
        """The earliest instant by which so many working minutes have passed since another; no minutes give
        the same instant. A minute counts when the clocks of the zone show working hours: an hour that is
        skipped in spring does not count, one that is repeated in autumn counts twice. Fails with
        RESOURCE_NOT_FOUND, CALENDAR_EMPTY.
        """
        return await self._add_business_hours(request, timeout, metadata)


class TenantService:
    """Tenants. Only callers of the platform tenant may use it."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.TenantService/"
        self._create_tenant = calls.unary(at + "CreateTenant", Tenant, request_id=3)
        self._get_tenant = calls.unary(at + "GetTenant", Tenant)
        self._list_tenants = calls.paged(
            at + "ListTenants",
            ListTenantsResponse,
            lambda page: page.tenants,
            page_token=2,
        )
        self._update_tenant = calls.unary(at + "UpdateTenant", Tenant, request_id=3)
        self._suspend_tenant = calls.unary(at + "SuspendTenant", Tenant, request_id=3)
        self._resume_tenant = calls.unary(at + "ResumeTenant", Tenant, request_id=3)

    async def create_tenant(
        self, request: CreateTenantRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Tenant:
        """Creates a tenant. The id `platform` is taken. Fails with RESOURCE_EXISTS. Idempotent by
        `request_id`.
        """
        return await self._create_tenant(request, timeout, metadata)

    async def get_tenant(
        self, request: GetTenantRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Tenant:
        """Gets a tenant. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_tenant(request, timeout, metadata)

    def list_tenants(
        self, request: ListTenantsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListTenantsResponse, Tenant]:
        """Lists tenants."""
        return self._list_tenants(request, timeout, metadata)

    async def update_tenant(
        self, request: UpdateTenantRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Tenant:
        """Changes the display name or the edition; callers notice within 30 s. A lower edition keeps what
        there is. Fails with ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_tenant(request, timeout, metadata)

    async def suspend_tenant(
        self, request: SuspendTenantRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Tenant:
        """Suspends a tenant: its callers are refused with TENANT_SUSPENDED within 30 s. Fails with
        TENANT_STATE. Idempotent by `request_id`.
        """
        return await self._suspend_tenant(request, timeout, metadata)

    async def resume_tenant(
        self, request: ResumeTenantRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Tenant:
        """Lets a suspended tenant work again. Fails with TENANT_STATE. Idempotent by `request_id`."""
        return await self._resume_tenant(request, timeout, metadata)


class PlatformServices:
    """The services of revops.platform.v1."""

    def __init__(self, calls: Calls) -> None:
        self.roles = RoleService(calls)
        """Roles of a tenant beside the built-in ones."""
        self.service_accounts = ServiceAccountService(calls)
        """Service accounts and their API keys."""
        self.audit = AuditService(calls)
        """The audit log of the tenant."""
        self.dead_letters = DeadLetterService(calls)
        """Events and timers that failed for good."""
        self.legal_entities = LegalEntityService(calls)
        """The companies that sell."""
        self.exchange_rates = ExchangeRateService(calls)
        """Exchange rates, one resource a rate and a day; never edited, a later one supersedes."""
        self.business_calendars = BusinessCalendarService(calls)
        """Working days and hours."""
        self.tenants = TenantService(calls)
        """Tenants. Only callers of the platform tenant may use it."""
