"""LegalEntityService, ExchangeRateService and BusinessCalendarService. Access, edition and audit: see the contract."""

from datetime import UTC

from revops.platform.v1 import reference_pb2 as pb

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel import clock
from revops_mesh.kernel.call import Call

from .domain import BusinessCalendar, ExchangeRate, LegalEntity, must_be_pair, pair_day, rate_missing
from .values import day


class LegalEntityService:
    """One method per rpc: load, verb, save."""

    async def CreateLegalEntity(self, request: pb.CreateLegalEntityRequest, call: Call) -> pb.LegalEntity:
        entities = call.repo(LegalEntity)
        entity = LegalEntity.register(entities.name(request.legal_entity_id), request.legal_entity)
        return (await entities.add(entity)).state

    async def GetLegalEntity(self, request: pb.GetLegalEntityRequest, call: Call) -> pb.LegalEntity:
        return (await call.repo(LegalEntity).get(request.name)).state

    async def ListLegalEntities(self, request: pb.ListLegalEntitiesRequest, call: Call) -> pb.ListLegalEntitiesResponse:
        return await page(call, LegalEntity, request, pb.ListLegalEntitiesResponse)

    async def UpdateLegalEntity(self, request: pb.UpdateLegalEntityRequest, call: Call) -> pb.LegalEntity:
        entity = await call.repo(LegalEntity).get(request.legal_entity.name, request.legal_entity.etag)
        entity.update(merged(call, entity, request.legal_entity, request.update_mask))
        return (await call.repo(LegalEntity).save(entity)).state


class ExchangeRateService:
    """One method per rpc: load, verb, save."""

    async def CreateExchangeRate(self, request: pb.CreateExchangeRateRequest, call: Call) -> pb.ExchangeRate:
        rates = call.repo(ExchangeRate)
        rate = ExchangeRate.publish(rates.name(request.exchange_rate_id), request.exchange_rate)
        return (await rates.add(rate)).state

    async def GetExchangeRate(self, request: pb.GetExchangeRateRequest, call: Call) -> pb.ExchangeRate:
        return (await call.repo(ExchangeRate).get(request.name)).state

    async def ListExchangeRates(self, request: pb.ListExchangeRatesRequest, call: Call) -> pb.ListExchangeRatesResponse:
        return await page(call, ExchangeRate, request, pb.ListExchangeRatesResponse)

    async def ResolveExchangeRate(self, request: pb.ResolveExchangeRateRequest, call: Call) -> pb.ExchangeRate:
        unit, price, on = request.from_currency, request.to_currency, day(request.date, "date")
        must_be_pair(unit, price)
        found = await call.repo(ExchangeRate).select(
            "pair_day BETWEEN $2 AND $3",
            [pair_day(unit, price, None), pair_day(unit, price, on)],
            "pair_day DESC, create_time DESC, name DESC",
            limit=1,
        )
        if not found:
            raise rate_missing(unit, price, on)
        return found[0].state


class BusinessCalendarService:
    """One method per rpc: load, verb, save."""

    async def CreateBusinessCalendar(self, request: pb.CreateBusinessCalendarRequest, call: Call) -> pb.BusinessCalendar:
        calendars = call.repo(BusinessCalendar)
        calendar = BusinessCalendar.draw_up(calendars.name(request.business_calendar_id), request.business_calendar)
        return (await calendars.add(calendar)).state

    async def GetBusinessCalendar(self, request: pb.GetBusinessCalendarRequest, call: Call) -> pb.BusinessCalendar:
        return (await call.repo(BusinessCalendar).get(request.name)).state

    async def ListBusinessCalendars(
        self, request: pb.ListBusinessCalendarsRequest, call: Call
    ) -> pb.ListBusinessCalendarsResponse:
        return await page(call, BusinessCalendar, request, pb.ListBusinessCalendarsResponse)

    async def UpdateBusinessCalendar(self, request: pb.UpdateBusinessCalendarRequest, call: Call) -> pb.BusinessCalendar:
        calendar = await call.repo(BusinessCalendar).get(request.business_calendar.name, request.business_calendar.etag)
        calendar.update(merged(call, calendar, request.business_calendar, request.update_mask))
        return (await call.repo(BusinessCalendar).save(calendar)).state

    async def AddBusinessHours(self, request: pb.AddBusinessHoursRequest, call: Call) -> pb.AddBusinessHoursResponse:
        calendar = await call.repo(BusinessCalendar).get(request.name)
        end = calendar.add(request.start_time.ToDatetime(tzinfo=UTC), request.minutes)
        return pb.AddBusinessHoursResponse(end_time=clock.timestamp(end))
