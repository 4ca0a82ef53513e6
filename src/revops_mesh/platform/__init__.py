"""Platform: tenants, access, reference facts, audit, dead letters, operations, files, imports and exports, webhooks."""

from revops_mesh.kernel.modules import Module
from revops_mesh.operations.operation import Operation

from .access.domain import ApiKey, Role, ServiceAccount
from .access.service import RoleService, ServiceAccountService
from .audit.service import AuditService, DeadLetterService
from .bulk.exports import ExportService
from .bulk.imports import ImportService
from .files.domain import File, FileChunk
from .files.service import FileService
from .operations.service import OperationService
from .reference.domain import BusinessCalendar, ExchangeRate, LegalEntity
from .reference.service import BusinessCalendarService, ExchangeRateService, LegalEntityService
from .tenants.domain import Tenant
from .tenants.service import TenantService
from .tokens.service import TokenService
from .webhooks.deliveries import WebhookDelivery
from .webhooks.domain import WebhookEndpoint
from .webhooks.service import WebhookService

MODULES = (
    Module("revops.platform.v1.TenantService", TenantService(), (Tenant,)),
    Module("revops.platform.v1.RoleService", RoleService(), (Role,)),
    Module("revops.platform.v1.ServiceAccountService", ServiceAccountService(), (ServiceAccount, ApiKey)),
    Module("revops.platform.v1.TokenService", TokenService()),
    Module("revops.platform.v1.LegalEntityService", LegalEntityService(), (LegalEntity,)),
    Module("revops.platform.v1.ExchangeRateService", ExchangeRateService(), (ExchangeRate,)),
    Module("revops.platform.v1.BusinessCalendarService", BusinessCalendarService(), (BusinessCalendar,)),
    Module("revops.platform.v1.AuditService", AuditService()),
    Module("revops.platform.v1.DeadLetterService", DeadLetterService()),
    Module("revops.platform.v1.OperationService", OperationService(), (Operation,)),
    Module("revops.platform.v1.FileService", FileService(), (File, FileChunk)),
    Module("revops.platform.v1.ImportService", ImportService()),
    Module("revops.platform.v1.ExportService", ExportService()),
    Module("revops.platform.v1.WebhookService", WebhookService(), (WebhookEndpoint, WebhookDelivery)),
)
