"""An office to test in: a shop, a seller who offers discounts, and people of roles who decide, each by the contract."""

from datetime import date, timedelta
from typing import Any

from google.protobuf.message import Message
from joserfc import jwt
from revops.quoting.v1 import approval_people_pb2 as people
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from tests.contract.people import holding, permissions
from tests.quoting.quotes.deals import Deals
from tests.world import Caller, World

EVERYTHING = permissions()


class Office:
    """A tenant whose seller is `deals.caller`."""

    def __init__(self, world: World, deals: Deals) -> None:
        self.world, self.deals, self.tenant = world, deals, deals.caller.tenant

    @classmethod
    async def opened(cls, world: World, *rules: policies.ApprovalRule, **fields: Any) -> "Office":
        """A new one with a published policy of some rules."""
        office = cls(world, await Deals.opened(await world.caller(sub="users/seller")))
        if rules:
            await office.publish(policies.ApprovalPolicy(display_name="Deals", rules=rules, **fields))
        return office

    async def publish(self, policy: policies.ApprovalPolicy) -> policies.ApprovalPolicy:
        """Creates and publishes a policy."""
        made = await self.deals.caller(pb.CreateApprovalPolicyRequest(approval_policy=policy))
        published: policies.ApprovalPolicy = await self.deals.caller(pb.PublishApprovalPolicyRequest(name=made.name))
        return published

    async def who(self, name: str, *roles: str) -> Caller:
        """Somebody with every permission, by a role that no rule asks, and with some roles more."""
        known = await holding(self.world, self.tenant, EVERYTHING)
        own = jwt.decode(known.token, self.world.key, algorithms=["ES256"]).claims["roles"]
        return Caller(self.world, self.tenant, self.world.token(self.tenant, *own, *roles, sub=f"users/{name}"))

    async def offer(self, rate: str, quantity: str = "10", **fields: Any) -> quotes.Quote:
        """A quote on offer at a discount, of which approvals have heard."""
        draft = self.deals.offer(quantity, **fields)
        draft.lines[0].discount_rate = rate
        made = await self.deals.caller(quotes.CreateQuoteRequest(quote=draft))
        return await self.submit(made.name)

    async def submit(self, name: str) -> quotes.Quote:
        """Submits a draft and has approvals hear of it."""
        quote = await self.deals.submit(name)
        await self.hear(quotes.QuoteSubmitted(quote=name, version=quote.version, content_hash=quote.content_hash))
        return quote

    async def revise(self, name: str, **fields: Any) -> quotes.Quote:
        """Offers the next version of a quote with changed fields."""
        await self.deals.caller(quotes.ReviseQuoteRequest(name=name))
        quote = await self.deals.get(name)
        await self.hear(quotes.QuoteSuperseded(quote=name, version=quote.version - 1, superseded_by=name))
        rate = fields.pop("rate", "")
        changed = quotes.Quote(**{"name": name, **fields})
        if rate:
            changed.lines.extend(quote.lines)
            changed.lines[0].discount_rate = rate
        await self.deals.caller(quotes.UpdateQuoteRequest(quote=changed))
        return await self.submit(name)

    async def hear(self, event: Message) -> None:
        """Has approvals react to an event, twice: events come again."""
        for _ in range(2):
            await self.deals.told(event)

    async def requests(self, subject: str) -> list[pb.ApprovalRequest]:
        """The requests about a quote, the latest first."""
        listed = pb.ListApprovalRequestsRequest(filter=f'subject = "{subject}"', order_by="create_time desc")
        return list((await self.deals.caller(listed)).approval_requests)

    async def request(self, subject: str) -> pb.ApprovalRequest:
        """The latest request about a quote."""
        return (await self.requests(subject))[0]

    async def told(self) -> list[Message]:
        """The events of approvals, in their order."""
        kinds = ("ApprovalRequest", "ApprovalPolicy")
        return [e for _, _, e in await self.world.events(self.tenant) if e.DESCRIPTOR.name.startswith(kinds)]


def delegation(delegate: str, first: int = 0, last: int = 7) -> pb.CreateApprovalDelegationRequest:
    """To somebody, from so many days after today to so many."""

    def day(offset: int) -> dict[str, int]:
        found: date = clock.now().date() + timedelta(days=offset)
        return {"year": found.year, "month": found.month, "day": found.day}

    offer = people.ApprovalDelegation(delegate=f"users/{delegate}", start_date=day(first), end_date=day(last))
    return pb.CreateApprovalDelegationRequest(approval_delegation=offer)


def approve(request: pb.ApprovalRequest, **fields: Any) -> pb.ApproveApprovalRequestRequest:
    return pb.ApproveApprovalRequestRequest(name=request.name, **fields)


def reject(request: pb.ApprovalRequest, **fields: Any) -> pb.RejectApprovalRequestRequest:
    return pb.RejectApprovalRequestRequest(name=request.name, **fields)
