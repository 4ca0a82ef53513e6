# Generated from the contracts: never edited, `make proto` writes it anew.
"""revops.platform.v1: messages and services."""

from collections.abc import AsyncIterable, AsyncIterator
from revops_client.google.api import HttpBody
from revops_client.google.protobuf import Empty
from revops_client.revops.platform.v1 import (
    AccessToken,
    AddBusinessHoursRequest,
    AddBusinessHoursResponse,
    AdvanceOperationRequest,
    ApiKey,
    AttemptWebhookDeliveryRequest,
    AuditEntry,
    AuthorizationServer,
    BusinessCalendar,
    Caller,
    CancelOperationRequest,
    CreateApiKeyRequest,
    CreateBusinessCalendarRequest,
    CreateExchangeRateRequest,
    CreateLegalEntityRequest,
    CreateRoleRequest,
    CreateServiceAccountRequest,
    CreateTenantRequest,
    CreateWebhookEndpointRequest,
    DeadLetter,
    DeleteApiKeyRequest,
    DeleteFileRequest,
    DeleteOperationRequest,
    DeleteRoleRequest,
    DeleteServiceAccountRequest,
    DeleteWebhookEndpointRequest,
    DisableWebhookEndpointRequest,
    DownloadFileRequest,
    EnableWebhookEndpointRequest,
    ExchangeRate,
    ExpireFileRequest,
    ExpireOperationRequest,
    ExportMetadata,
    ExportReason,
    ExportResourcesRequest,
    ExportResourcesRequestFormat,
    ExportResponse,
    File,
    FileChunk,
    FileReason,
    FileState,
    GetAuthorizationServerRequest,
    GetBusinessCalendarRequest,
    GetCallerRequest,
    GetExchangeRateRequest,
    GetFileRequest,
    GetKeySetRequest,
    GetLegalEntityRequest,
    GetOperationRequest,
    GetRoleRequest,
    GetServiceAccountRequest,
    GetTenantRequest,
    GetWebhookDeliveryRequest,
    GetWebhookEndpointRequest,
    ImportMetadata,
    ImportReason,
    ImportResourcesRequest,
    ImportResourcesRequestFormat,
    ImportResourcesRequestMode,
    ImportResponse,
    IssueTokenRequest,
    Job,
    KeySet,
    KeySetKey,
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
    ListFilesRequest,
    ListFilesResponse,
    ListLegalEntitiesRequest,
    ListLegalEntitiesResponse,
    ListOperationsRequest,
    ListOperationsResponse,
    ListRolesRequest,
    ListRolesResponse,
    ListServiceAccountsRequest,
    ListServiceAccountsResponse,
    ListTenantsRequest,
    ListTenantsResponse,
    ListWebhookDeliveriesRequest,
    ListWebhookDeliveriesResponse,
    ListWebhookEndpointsRequest,
    ListWebhookEndpointsResponse,
    NoteApiKeyUseRequest,
    Operation,
    OperationEnded,
    OperationReason,
    OperationState,
    PlatformReason,
    ReferenceReason,
    ReplayDeadLetterRequest,
    ReplayFailedWebhookDeliveriesRequest,
    ReplayFailedWebhookDeliveriesResponse,
    ReplayWebhookDeliveryRequest,
    ResolveExchangeRateRequest,
    ResumeOperationRequest,
    ResumeTenantRequest,
    Role,
    RoleReason,
    RotateApiKeyRequest,
    RotateWebhookSecretRequest,
    SendTestEventRequest,
    ServiceAccount,
    SigningSecret,
    StreamAuditEntriesRequest,
    SuspendTenantRequest,
    Tenant,
    TenantCreated,
    TenantEditionChanged,
    TenantReason,
    TenantResumed,
    TenantState,
    TenantSuspended,
    TokenReason,
    UpdateBusinessCalendarRequest,
    UpdateLegalEntityRequest,
    UpdateRoleRequest,
    UpdateServiceAccountRequest,
    UpdateTenantRequest,
    UpdateWebhookEndpointRequest,
    UploadFileRequest,
    VerifyWebhookEndpointRequest,
    WaitOperationRequest,
    WebhookAttempt,
    WebhookDelivery,
    WebhookDeliveryState,
    WebhookEndpoint,
    WebhookEndpointDisableCause,
    WebhookEndpointDisabled,
    WebhookEndpointState,
    WebhookReason,
    WebhookTest,
    WebhookVerification,
    WorkingHours,
    WriteFileRequest,
)
from revops_rpc.calls import Calls, Metadata, NONE
from revops_rpc.operations import Operations, Running
from revops_rpc.paging import Pages

__all__ = [
    "AccessToken",
    "AddBusinessHoursRequest",
    "AddBusinessHoursResponse",
    "AdvanceOperationRequest",
    "ApiKey",
    "AttemptWebhookDeliveryRequest",
    "AuditEntry",
    "AuditService",
    "AuthorizationServer",
    "BusinessCalendar",
    "BusinessCalendarService",
    "Caller",
    "CancelOperationRequest",
    "CreateApiKeyRequest",
    "CreateBusinessCalendarRequest",
    "CreateExchangeRateRequest",
    "CreateLegalEntityRequest",
    "CreateRoleRequest",
    "CreateServiceAccountRequest",
    "CreateTenantRequest",
    "CreateWebhookEndpointRequest",
    "DeadLetter",
    "DeadLetterService",
    "DeleteApiKeyRequest",
    "DeleteFileRequest",
    "DeleteOperationRequest",
    "DeleteRoleRequest",
    "DeleteServiceAccountRequest",
    "DeleteWebhookEndpointRequest",
    "DisableWebhookEndpointRequest",
    "DownloadFileRequest",
    "EnableWebhookEndpointRequest",
    "ExchangeRate",
    "ExchangeRateService",
    "ExpireFileRequest",
    "ExpireOperationRequest",
    "ExportMetadata",
    "ExportReason",
    "ExportResourcesRequest",
    "ExportResourcesRequestFormat",
    "ExportResponse",
    "ExportService",
    "File",
    "FileChunk",
    "FileReason",
    "FileService",
    "FileState",
    "GetAuthorizationServerRequest",
    "GetBusinessCalendarRequest",
    "GetCallerRequest",
    "GetExchangeRateRequest",
    "GetFileRequest",
    "GetKeySetRequest",
    "GetLegalEntityRequest",
    "GetOperationRequest",
    "GetRoleRequest",
    "GetServiceAccountRequest",
    "GetTenantRequest",
    "GetWebhookDeliveryRequest",
    "GetWebhookEndpointRequest",
    "ImportMetadata",
    "ImportReason",
    "ImportResourcesRequest",
    "ImportResourcesRequestFormat",
    "ImportResourcesRequestMode",
    "ImportResponse",
    "ImportService",
    "IssueTokenRequest",
    "Job",
    "KeySet",
    "KeySetKey",
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
    "ListFilesRequest",
    "ListFilesResponse",
    "ListLegalEntitiesRequest",
    "ListLegalEntitiesResponse",
    "ListOperationsRequest",
    "ListOperationsResponse",
    "ListRolesRequest",
    "ListRolesResponse",
    "ListServiceAccountsRequest",
    "ListServiceAccountsResponse",
    "ListTenantsRequest",
    "ListTenantsResponse",
    "ListWebhookDeliveriesRequest",
    "ListWebhookDeliveriesResponse",
    "ListWebhookEndpointsRequest",
    "ListWebhookEndpointsResponse",
    "NoteApiKeyUseRequest",
    "Operation",
    "OperationEnded",
    "OperationReason",
    "OperationService",
    "OperationState",
    "PlatformReason",
    "PlatformServices",
    "ReferenceReason",
    "ReplayDeadLetterRequest",
    "ReplayFailedWebhookDeliveriesRequest",
    "ReplayFailedWebhookDeliveriesResponse",
    "ReplayWebhookDeliveryRequest",
    "ResolveExchangeRateRequest",
    "ResumeOperationRequest",
    "ResumeTenantRequest",
    "Role",
    "RoleReason",
    "RoleService",
    "RotateApiKeyRequest",
    "RotateWebhookSecretRequest",
    "SendTestEventRequest",
    "ServiceAccount",
    "ServiceAccountService",
    "SigningSecret",
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
    "TokenReason",
    "TokenService",
    "UpdateBusinessCalendarRequest",
    "UpdateLegalEntityRequest",
    "UpdateRoleRequest",
    "UpdateServiceAccountRequest",
    "UpdateTenantRequest",
    "UpdateWebhookEndpointRequest",
    "UploadFileRequest",
    "VerifyWebhookEndpointRequest",
    "WaitOperationRequest",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookDeliveryState",
    "WebhookEndpoint",
    "WebhookEndpointDisableCause",
    "WebhookEndpointDisabled",
    "WebhookEndpointState",
    "WebhookReason",
    "WebhookService",
    "WebhookTest",
    "WebhookVerification",
    "WorkingHours",
    "WriteFileRequest",
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
        self._rotate_api_key = calls.unary(at + "RotateApiKey", ApiKey, request_id=4)
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

    async def rotate_api_key(
        self, request: RotateApiKeyRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ApiKey:
        """Replaces a key: makes a new one of the same account, whose secret is in this answer and never
        again, not even in its replay, and has the old one stop after `overlap_hours`, or at its own expiry if
        that is earlier. Until then both work. Fails with RESOURCE_NOT_FOUND, ROLE_EXCEEDS_CALLER. Idempotent
        by `request_id`.
        """
        return await self._rotate_api_key(request, timeout, metadata)

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


class ExportService:
    """Exports of resources of any kind that can be listed."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.ExportService/"
        operations = Operations(calls, "/revops.platform.v1.OperationService/", 3)
        self._export_resources = operations.starting(at + "ExportResources", ExportResponse, ExportMetadata, request_id=9)

    async def export_resources(
        self, request: ExportResourcesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Running[ExportResponse, ExportMetadata]:
        """Starts to write all resources of a list into a file, as the caller sees them: what the caller may
        not read is not in it, and whoever reads the file needs the same permissions. Resources that change
        meanwhile are in it once, before or after. Tables have a column a field, named by its path as in
        `scope.account`; repeated fields are JSON, enums their names, instants UTC. Decimal numbers are text
        in every format, digit for digit as in the contract: nothing is rounded on the way. Fails with
        EXPORT_TYPE, EXPORT_FORMAT, OPERATIONS_UNFINISHED. Idempotent by `request_id`.
        """
        return await self._export_resources(request, timeout, metadata)


class FileService:
    """Files. Who has `platform.files.list` reaches those of the whole tenant, anybody else their own."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.FileService/"
        self._upload_file = calls.sending(at + "UploadFile", File, request_id=6)
        self._get_file = calls.unary(at + "GetFile", File)
        self._list_files = calls.paged(
            at + "ListFiles",
            ListFilesResponse,
            lambda page: page.files,
            page_token=2,
        )
        self._download_file = calls.streaming(at + "DownloadFile", HttpBody)
        self._delete_file = calls.unary(at + "DeleteFile", Empty, request_id=3)

    async def upload_file(
        self, requests: AsyncIterable[UploadFileRequest], *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> File:
        """Uploads a file in pieces, each kept before the next is taken. The first request says what the file
        is, the others only bring content. A stream that broke is sent again with the `request_id` of its
        first request and goes on where it was cut off. Fails with RESOURCE_EXISTS, FILE_TOO_LARGE,
        FILE_DIGEST, FILE_STATE.
        """
        return await self._upload_file(requests, timeout, metadata)

    async def get_file(
        self, request: GetFileRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> File:
        """Gets what is known of a file. Fails with RESOURCE_NOT_FOUND, PERMISSION_REQUIRED."""
        return await self._get_file(request, timeout, metadata)

    def list_files(
        self, request: ListFilesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListFilesResponse, File]:
        """Lists the files of the tenant."""
        return self._list_files(request, timeout, metadata)

    def download_file(
        self, request: DownloadFileRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> AsyncIterator[HttpBody]:
        """Downloads the content of a complete file, in pieces of at most 256 KiB. Needs every permission that
        the file lists. Fails with RESOURCE_NOT_FOUND, FILE_STATE, PERMISSION_REQUIRED.
        """
        return self._download_file(request, timeout, metadata)

    async def delete_file(
        self, request: DeleteFileRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes a file and its content. Fails with RESOURCE_NOT_FOUND, ETAG_MISMATCH, PERMISSION_REQUIRED.
        Idempotent by `request_id`.
        """
        await self._delete_file(request, timeout, metadata)


class ImportService:
    """Imports of resources of any kind that can be created."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.ImportService/"
        operations = Operations(calls, "/revops.platform.v1.OperationService/", 3)
        self._import_resources = operations.starting(at + "ImportResources", ImportResponse, ImportMetadata, request_id=7)

    async def import_resources(
        self, request: ImportResourcesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Running[ImportResponse, ImportMetadata]:
        """Starts to make a resource of every row of a file, with the rights of the caller. Each row is a call
        of its own: accepted or refused, audited, with its events, and never made twice. Refused rows do not
        stop the others; they are told in a file of JSON lines. A refusal that is not about a row (a
        permission, the edition, a cap) fails the operation, which can be resumed. A table begins with a
        header of field paths, as in `display_name,scope.account`; repeated fields are JSON. `parent` and
        `name` say where a row belongs and which id it gets; columns that only the server sets are ignored.
        Fails with IMPORT_TYPE, IMPORT_COLUMN, OPERATIONS_UNFINISHED, FILE_STATE. Idempotent by `request_id`.
        """
        return await self._import_resources(request, timeout, metadata)


class OperationService:
    """Long jobs. Who has `platform.operations.list` reaches those of the whole tenant, anybody else those
    that they started. Fields have the numbers of `google.longrunning.Operations`, under whose name the
    service is served as well.
    """

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.OperationService/"
        self._get_operation = calls.unary(at + "GetOperation", Operation)
        self._list_operations = calls.paged(
            at + "ListOperations",
            ListOperationsResponse,
            lambda page: page.operations,
            page_token=3,
        )
        self._wait_operation = calls.unary(at + "WaitOperation", Operation)
        self._cancel_operation = calls.unary(at + "CancelOperation", Operation, request_id=3)
        self._resume_operation = calls.unary(at + "ResumeOperation", Operation, request_id=3)
        self._delete_operation = calls.unary(at + "DeleteOperation", Empty, request_id=3)

    async def get_operation(
        self, request: GetOperationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Operation:
        """Gets an operation. Fails with RESOURCE_NOT_FOUND, PERMISSION_REQUIRED."""
        return await self._get_operation(request, timeout, metadata)

    def list_operations(
        self, request: ListOperationsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListOperationsResponse, Operation]:
        """Lists the operations of the tenant."""
        return self._list_operations(request, timeout, metadata)

    async def wait_operation(
        self, request: WaitOperationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Operation:
        """Gets an operation as soon as it is done, or as it is when the timeout is over. Fails with
        RESOURCE_NOT_FOUND, PERMISSION_REQUIRED.
        """
        return await self._wait_operation(request, timeout, metadata)

    async def cancel_operation(
        self, request: CancelOperationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Operation:
        """Has an operation stop: it ends with OPERATION_CANCELLED. What is under way is still finished, which
        takes seconds; what was done stays, and the operation may be resumed. Fails with OPERATION_STATE,
        ETAG_MISMATCH, PERMISSION_REQUIRED. Idempotent by `request_id`.
        """
        return await self._cancel_operation(request, timeout, metadata)

    async def resume_operation(
        self, request: ResumeOperationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Operation:
        """FAILED or CANCELLED → PENDING: has an operation go on where it stopped, still as who started it.
        Nothing is done twice. Fails with OPERATION_STATE, ETAG_MISMATCH, PERMISSION_REQUIRED. Idempotent by
        `request_id`.
        """
        return await self._resume_operation(request, timeout, metadata)

    async def delete_operation(
        self, request: DeleteOperationRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Forgets an operation that is done; what it did stays. Fails with OPERATION_STATE, ETAG_MISMATCH,
        PERMISSION_REQUIRED. Idempotent by `request_id`.
        """
        await self._delete_operation(request, timeout, metadata)


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


class TokenService:
    """Access tokens, who issues them, and whose a credential is."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.TokenService/"
        self._issue_token = calls.unary(at + "IssueToken", AccessToken, request_id=2)
        self._get_caller = calls.unary(at + "GetCaller", Caller)
        self._get_key_set = calls.unary(at + "GetKeySet", KeySet)
        self._get_authorization_server = calls.unary(at + "GetAuthorizationServer", AuthorizationServer)

    async def issue_token(
        self, request: IssueTokenRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> AccessToken:
        """Issues an access token for the API key with which it is called; over HTTP, `POST /oauth2/token`
        says the same in the form of RFC 6749. It works for 15 minutes while the key and its account do, with
        what the account may do and the scopes leave of it. Fails with TOKEN_NEEDS_KEY, TOKEN_SCOPE_EXCEEDED,
        TOKENS_NOT_ISSUED. Idempotent by `request_id`: a replay has no token.
        """
        return await self._issue_token(request, timeout, metadata)

    async def get_caller(
        self, request: GetCallerRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Caller:
        """Tells who calls with a credential, and what they may do."""
        return await self._get_caller(request, timeout, metadata)

    async def get_key_set(
        self, request: GetKeySetRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> KeySet:
        """Gets the public keys of the tokens that this installation issues, as a JSON Web Key Set (RFC 7517).
        Fails with TOKENS_NOT_ISSUED.
        """
        return await self._get_key_set(request, timeout, metadata)

    async def get_authorization_server(
        self, request: GetAuthorizationServerRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> AuthorizationServer:
        """Describes the issuer to OAuth clients (RFC 8414). Fails with TOKENS_NOT_ISSUED."""
        return await self._get_authorization_server(request, timeout, metadata)


class WebhookService:
    """Receivers of events, and what is delivered to them by the Standard Webhooks specification."""

    def __init__(self, calls: Calls) -> None:
        at = "/revops.platform.v1.WebhookService/"
        self._create_webhook_endpoint = calls.unary(at + "CreateWebhookEndpoint", WebhookEndpoint, request_id=3)
        self._get_webhook_endpoint = calls.unary(at + "GetWebhookEndpoint", WebhookEndpoint)
        self._list_webhook_endpoints = calls.paged(
            at + "ListWebhookEndpoints",
            ListWebhookEndpointsResponse,
            lambda page: page.webhook_endpoints,
            page_token=2,
        )
        self._update_webhook_endpoint = calls.unary(at + "UpdateWebhookEndpoint", WebhookEndpoint, request_id=3)
        self._delete_webhook_endpoint = calls.unary(at + "DeleteWebhookEndpoint", Empty, request_id=3)
        self._verify_webhook_endpoint = calls.unary(at + "VerifyWebhookEndpoint", WebhookDelivery, request_id=2)
        self._enable_webhook_endpoint = calls.unary(at + "EnableWebhookEndpoint", WebhookEndpoint, request_id=3)
        self._disable_webhook_endpoint = calls.unary(at + "DisableWebhookEndpoint", WebhookEndpoint, request_id=3)
        self._rotate_webhook_secret = calls.unary(at + "RotateWebhookSecret", WebhookEndpoint, request_id=3)
        self._send_test_event = calls.unary(at + "SendTestEvent", WebhookDelivery, request_id=2)
        self._get_webhook_delivery = calls.unary(at + "GetWebhookDelivery", WebhookDelivery)
        self._list_webhook_deliveries = calls.paged(
            at + "ListWebhookDeliveries",
            ListWebhookDeliveriesResponse,
            lambda page: page.webhook_deliveries,
            page_token=3,
        )
        self._replay_webhook_delivery = calls.unary(at + "ReplayWebhookDelivery", WebhookDelivery, request_id=3)
        self._replay_failed_webhook_deliveries = calls.unary(at + "ReplayFailedWebhookDeliveries", ReplayFailedWebhookDeliveriesResponse, request_id=3)

    async def create_webhook_endpoint(
        self, request: CreateWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookEndpoint:
        """Creates an endpoint, which gets nothing until it was verified; its signing secret is in this answer
        and never again, not even in its replay. Nobody can give it roles that exceed their own. Fails with
        RESOURCE_EXISTS, LIMIT_REACHED, ROLE_UNKNOWN, ROLE_EXCEEDS_CALLER, WEBHOOK_EVENT_TYPE_UNKNOWN,
        WEBHOOK_EVENT_TYPE_HIDDEN. Idempotent by `request_id`.
        """
        return await self._create_webhook_endpoint(request, timeout, metadata)

    async def get_webhook_endpoint(
        self, request: GetWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookEndpoint:
        """Gets an endpoint. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_webhook_endpoint(request, timeout, metadata)

    def list_webhook_endpoints(
        self, request: ListWebhookEndpointsRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListWebhookEndpointsResponse, WebhookEndpoint]:
        """Lists endpoints."""
        return self._list_webhook_endpoints(request, timeout, metadata)

    async def update_webhook_endpoint(
        self, request: UpdateWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookEndpoint:
        """Changes an endpoint. With another `url` it has to be verified again, and what is pending goes
        there. The caller needs what the roles permit, those it has and those it gets. Fails with
        ROLE_UNKNOWN, ROLE_EXCEEDS_CALLER, WEBHOOK_EVENT_TYPE_UNKNOWN, WEBHOOK_EVENT_TYPE_HIDDEN,
        ETAG_MISMATCH. Idempotent by `request_id`.
        """
        return await self._update_webhook_endpoint(request, timeout, metadata)

    async def delete_webhook_endpoint(
        self, request: DeleteWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> None:
        """Deletes an endpoint; what is pending is not delivered. Fails with ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        await self._delete_webhook_endpoint(request, timeout, metadata)

    async def verify_webhook_endpoint(
        self, request: VerifyWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookDelivery:
        """Sends a signed `revops.platform.v1.WebhookVerification`, once. The endpoint becomes ENABLED when
        the receiver answers with 2xx and a body that is the `challenge` in the event's data, as plain text or
        as `{"challenge": "…"}`: only who wants the events knows to do that. The answer is the delivery, in
        which the outcome appears within 20 s. Fails with WEBHOOK_STATE. Idempotent by `request_id`.
        """
        return await self._verify_webhook_endpoint(request, timeout, metadata)

    async def enable_webhook_endpoint(
        self, request: EnableWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookEndpoint:
        """DISABLED → ENABLED, with failures forgotten. Fails with WEBHOOK_STATE, ETAG_MISMATCH. Idempotent by
        `request_id`.
        """
        return await self._enable_webhook_endpoint(request, timeout, metadata)

    async def disable_webhook_endpoint(
        self, request: DisableWebhookEndpointRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookEndpoint:
        """ENABLED → DISABLED: events are no longer recorded for it. Fails with WEBHOOK_STATE, ETAG_MISMATCH.
        Idempotent by `request_id`.
        """
        return await self._disable_webhook_endpoint(request, timeout, metadata)

    async def rotate_webhook_secret(
        self, request: RotateWebhookSecretRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookEndpoint:
        """Makes a new signing secret, which is in this answer and never again, not even in its replay. For 24
        hours everything is signed with both; a secret older than the previous one ends at once. The caller
        needs what the roles permit. Fails with ROLE_UNKNOWN, ROLE_EXCEEDS_CALLER, ETAG_MISMATCH. Idempotent
        by `request_id`.
        """
        return await self._rotate_webhook_secret(request, timeout, metadata)

    async def send_test_event(
        self, request: SendTestEventRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookDelivery:
        """Sends a signed `revops.platform.v1.WebhookTest`, once, to an enabled endpoint. Fails with
        WEBHOOK_STATE. Idempotent by `request_id`.
        """
        return await self._send_test_event(request, timeout, metadata)

    async def get_webhook_delivery(
        self, request: GetWebhookDeliveryRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookDelivery:
        """Gets a delivery. Fails with RESOURCE_NOT_FOUND."""
        return await self._get_webhook_delivery(request, timeout, metadata)

    def list_webhook_deliveries(
        self, request: ListWebhookDeliveriesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> Pages[ListWebhookDeliveriesResponse, WebhookDelivery]:
        """Lists the deliveries of an endpoint, of all with "-" in its place."""
        return self._list_webhook_deliveries(request, timeout, metadata)

    async def replay_webhook_delivery(
        self, request: ReplayWebhookDeliveryRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> WebhookDelivery:
        """DELIVERED or FAILED → PENDING: sends the same body with the same `webhook-id` again, with all
        retries. Fails with WEBHOOK_DELIVERY_STATE, WEBHOOK_STATE (of the endpoint), ETAG_MISMATCH. Idempotent
        by `request_id`.
        """
        return await self._replay_webhook_delivery(request, timeout, metadata)

    async def replay_failed_webhook_deliveries(
        self, request: ReplayFailedWebhookDeliveriesRequest, *, timeout: float | None = None, metadata: Metadata = NONE
    ) -> ReplayFailedWebhookDeliveriesResponse:
        """Replays what failed since an instant, the oldest first, at most 500 deliveries a call: repeat it,
        with another `request_id`, until it answers 0. Fails with RESOURCE_NOT_FOUND, WEBHOOK_STATE.
        Idempotent by `request_id`.
        """
        return await self._replay_failed_webhook_deliveries(request, timeout, metadata)


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
        self.exports = ExportService(calls)
        """Exports of resources of any kind that can be listed."""
        self.files = FileService(calls)
        """Files. Who has `platform.files.list` reaches those of the whole tenant, anybody else their own."""
        self.imports = ImportService(calls)
        """Imports of resources of any kind that can be created."""
        self.operations = OperationService(calls)
        """Long jobs. Who has `platform.operations.list` reaches those of the whole tenant, anybody else those
        that they started. Fields have the numbers of `google.longrunning.Operations`, under whose name the
        service is served as well.
        """
        self.legal_entities = LegalEntityService(calls)
        """The companies that sell."""
        self.exchange_rates = ExchangeRateService(calls)
        """Exchange rates, one resource a rate and a day; never edited, a later one supersedes."""
        self.business_calendars = BusinessCalendarService(calls)
        """Working days and hours."""
        self.tenants = TenantService(calls)
        """Tenants. Only callers of the platform tenant may use it."""
        self.tokens = TokenService(calls)
        """Access tokens, who issues them, and whose a credential is."""
        self.webhooks = WebhookService(calls)
        """Receivers of events, and what is delivered to them by the Standard Webhooks specification."""
