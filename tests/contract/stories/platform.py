"""Stories of the platform."""

import asyncio
from collections.abc import Mapping

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import access_pb2 as access
from revops.platform.v1 import audit_pb2 as audit
from revops.platform.v1 import exports_pb2 as exports
from revops.platform.v1 import files_pb2 as files
from revops.platform.v1 import imports_pb2 as imports
from revops.platform.v1 import operations_pb2 as operations
from revops.platform.v1 import reference_pb2 as reference
from revops.platform.v1 import tenants_pb2 as tenants
from revops.platform.v1 import tokens_pb2 as tokens
from revops.platform.v1 import webhooks_pb2 as webhooks

from revops_mesh.kernel.names import new_uuid
from tests.contract import making, receiving
from tests.contract.stories.telling import Story, after, beside, changing, of, plainly
from tests.world import Caller, World

DAY = Date(year=2026, month=3, day=1)
MONDAY_MORNING = Timestamp(seconds=1_772_438_400)  # 2026-03-02T08:00:00Z


async def dead_letter(world: World, caller: Caller) -> Message:
    """A letter of the caller's tenant, written behind the contract's back: none can be asked for."""
    letter, event = new_uuid(), products.ProductRetired(product="products/gone")
    await world.owner.execute(
        "INSERT INTO kernel.dead_letter(tenant_id,id,time,method,request_type,request,event,problem,attempts)"
        " VALUES($1,$2,now(),$3,$4,$5,$6,'FAULT',8)",
        caller.tenant, letter, "revops.catalog.v1.PriceBookService.OnProductRetired", event.DESCRIPTOR.full_name,
        event.SerializeToString(), '{"subject": "products/gone", "revision": 3, "n": 0}',
    )  # fmt: skip
    return audit.ReplayDeadLetterRequest(name=f"deadLetters/{letter.hex}")


async def listed_dead_letters(world: World, caller: Caller) -> Message:
    await dead_letter(world, caller)
    return audit.ListDeadLettersRequest()


async def imported(world: World, caller: Caller) -> Message:
    table, of = await making.file(world, caller), imports.ImportResourcesRequest.FORMAT_CSV
    return imports.ImportResourcesRequest(file=table.name, type="revops.catalog.v1.Product", format=of)


async def advanced_operation(world: World, caller: Caller) -> Message:
    return making.succeeding((await making.operation(world, caller)).name)


async def written_file(world: World, caller: Caller) -> Message:
    of = await making.written_file(world, caller)
    about = {"operation": of.operation, "display_name": of.display_name, "content_type": of.content_type}
    return files.WriteFileRequest(file=of.name, position=of.size_bytes, data=making.TABLE, **about)


async def outlived_operation(world: World, caller: Caller) -> Message:
    """One whose time is over, behind the contract's back: nobody can wait for it."""
    operation = await making.ended_operation(world, caller)
    operation.expire_time.FromSeconds(1)
    operation.ClearField("etag")
    written = "UPDATE platform.operations SET body=$3 WHERE tenant_id=$1 AND name=$2"
    await world.owner.execute(written, caller.tenant, operation.name, operation.SerializeToString())
    return operations.ExpireOperationRequest(operation=operation.name)


async def issued_token(world: World, caller: Caller) -> Message:
    """A token for a key of the caller's tenant, with which the caller goes on."""
    offer = access.ServiceAccount(display_name="CRM", roles=["admin"])
    account = await caller(access.CreateServiceAccountRequest(service_account=offer))
    caller.token = (await caller(access.CreateApiKeyRequest(parent=account.name, api_key=access.ApiKey()))).secret
    await caller(tokens.GetCallerRequest())
    await asyncio.gather(*world.kernel.authenticator._directory._noting)  # type: ignore[attr-defined]  # once an hour
    return tokens.IssueTokenRequest(scopes=["catalog.*"])


STORIES: Mapping[str, Story] = {
    "TenantService.UpdateTenant": changing(making.tenant, tenants.UpdateTenantRequest, edition=3),
    "RoleService.CreateRole": plainly(
        access.CreateRoleRequest, role=access.Role(display_name="Reader", permissions=["catalog.products.get"])
    ),
    "ServiceAccountService.CreateServiceAccount": plainly(
        access.CreateServiceAccountRequest, service_account=access.ServiceAccount(display_name="CRM", roles=["viewer"])
    ),
    "ServiceAccountService.CreateApiKey": of(
        making.service_account, access.CreateApiKeyRequest, "parent", api_key=access.ApiKey(display_name="Key")
    ),
    "ServiceAccountService.RotateApiKey": of(making.api_key, access.RotateApiKeyRequest, overlap_hours=1),
    "ServiceAccountService.NoteApiKeyUse": of(making.api_key, access.NoteApiKeyUseRequest, time=MONDAY_MORNING),
    "ServiceAccountService.ListApiKeys": beside(making.api_key, access.ListApiKeysRequest),
    "ServiceAccountService.DeleteApiKey": of(making.api_key, access.DeleteApiKeyRequest),
    "TokenService.IssueToken": issued_token,
    "TokenService.GetCaller": plainly(tokens.GetCallerRequest),
    "TokenService.GetKeySet": plainly(tokens.GetKeySetRequest),
    "TokenService.GetAuthorizationServer": plainly(tokens.GetAuthorizationServerRequest),
    "ExchangeRateService.CreateExchangeRate": plainly(
        reference.CreateExchangeRateRequest,
        exchange_rate=reference.ExchangeRate(from_currency="EUR", to_currency="USD", rate="1.1", effective_date=DAY),
    ),
    "ExchangeRateService.ResolveExchangeRate": after(
        making.exchange_rate, reference.ResolveExchangeRateRequest, from_currency="EUR", to_currency="USD", date=DAY
    ),
    "AuditService.ListAuditEntries": after(making.product, audit.ListAuditEntriesRequest),
    "AuditService.StreamAuditEntries": after(
        making.product, audit.StreamAuditEntriesRequest, start_time=Timestamp(seconds=1), stop_at_end=True
    ),
    "DeadLetterService.ListDeadLetters": listed_dead_letters,
    "DeadLetterService.ReplayDeadLetter": dead_letter,
    "OperationService.GetOperation": of(making.operation, operations.GetOperationRequest),
    "OperationService.ListOperations": after(making.operation, operations.ListOperationsRequest),
    "OperationService.WaitOperation": of(making.ended_operation, operations.WaitOperationRequest),
    "OperationService.CancelOperation": of(making.operation, operations.CancelOperationRequest),
    "OperationService.ResumeOperation": of(making.failed_operation, operations.ResumeOperationRequest),
    "OperationService.DeleteOperation": of(making.ended_operation, operations.DeleteOperationRequest),
    "OperationService.AdvanceOperation": advanced_operation,
    "OperationService.ExpireOperation": outlived_operation,
    "FileService.UploadFile": plainly(files.UploadFileRequest, content=making.UPLOAD.content, display_name="products.csv"),
    "FileService.GetFile": of(making.file, files.GetFileRequest),
    "FileService.ListFiles": after(making.file, files.ListFilesRequest),
    "FileService.DownloadFile": of(making.file, files.DownloadFileRequest),
    "FileService.DeleteFile": of(making.file, files.DeleteFileRequest),
    "FileService.WriteFile": written_file,
    "FileService.ExpireFile": of(making.file, files.ExpireFileRequest, "file", unneeded=True),
    "ImportService.ImportResources": imported,
    "ExportService.ExportResources": after(
        making.product,
        exports.ExportResourcesRequest,
        type="revops.catalog.v1.Product",
        format=exports.ExportResourcesRequest.FORMAT_JSONL,
        display_name="Products.jsonl",
    ),
    "WebhookService.CreateWebhookEndpoint": plainly(webhooks.CreateWebhookEndpointRequest, webhook_endpoint=receiving.OFFER),
    "WebhookService.GetWebhookEndpoint": of(receiving.endpoint, webhooks.GetWebhookEndpointRequest),
    "WebhookService.ListWebhookEndpoints": after(receiving.endpoint, webhooks.ListWebhookEndpointsRequest),
    "WebhookService.UpdateWebhookEndpoint": changing(
        receiving.endpoint, webhooks.UpdateWebhookEndpointRequest, url="https://erp.example/other"
    ),
    "WebhookService.DeleteWebhookEndpoint": of(receiving.endpoint, webhooks.DeleteWebhookEndpointRequest),
    "WebhookService.VerifyWebhookEndpoint": of(receiving.endpoint, webhooks.VerifyWebhookEndpointRequest),
    "WebhookService.EnableWebhookEndpoint": of(receiving.disabled_endpoint, webhooks.EnableWebhookEndpointRequest),
    "WebhookService.DisableWebhookEndpoint": of(receiving.enabled_endpoint, webhooks.DisableWebhookEndpointRequest),
    "WebhookService.RotateWebhookSecret": of(receiving.endpoint, webhooks.RotateWebhookSecretRequest),
    "WebhookService.SendTestEvent": of(receiving.enabled_endpoint, webhooks.SendTestEventRequest),
    "WebhookService.GetWebhookDelivery": of(receiving.delivery, webhooks.GetWebhookDeliveryRequest),
    "WebhookService.ListWebhookDeliveries": beside(receiving.delivery, webhooks.ListWebhookDeliveriesRequest),
    "WebhookService.ReplayWebhookDelivery": of(receiving.delivery, webhooks.ReplayWebhookDeliveryRequest),
    "WebhookService.ReplayFailedWebhookDeliveries": receiving.failed_delivery,
    "WebhookService.OnEvent": receiving.event_that_is_wanted,
    "WebhookService.AttemptWebhookDelivery": receiving.gone,
}
