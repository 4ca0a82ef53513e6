"""Platform: tenants, access, reference facts, audit and dead letters."""

from revops_mesh.kernel.pipeline import Module

from .access.domain import ApiKey, Role, ServiceAccount
from .access.service import RoleService, ServiceAccountService
from .audit.service import AuditService, DeadLetterService
from .reference.domain import BusinessCalendar, ExchangeRate, LegalEntity
from .reference.service import BusinessCalendarService, ExchangeRateService, LegalEntityService
from .tenants.domain import Tenant
from .tenants.service import TenantService

MODULES = (
    Module("revops.platform.v1.TenantService", TenantService(), (Tenant,)),
    Module("revops.platform.v1.RoleService", RoleService(), (Role,)),
    Module("revops.platform.v1.ServiceAccountService", ServiceAccountService(), (ServiceAccount, ApiKey)),
    Module("revops.platform.v1.LegalEntityService", LegalEntityService(), (LegalEntity,)),
    Module("revops.platform.v1.ExchangeRateService", ExchangeRateService(), (ExchangeRate,)),
    Module("revops.platform.v1.BusinessCalendarService", BusinessCalendarService(), (BusinessCalendar,)),
    Module("revops.platform.v1.AuditService", AuditService()),
    Module("revops.platform.v1.DeadLetterService", DeadLetterService()),
)
