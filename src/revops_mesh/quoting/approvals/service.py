"""ApprovalService. Access, edition and audit: see the contract."""

from google.protobuf.empty_pb2 import Empty
from revops.platform.v1 import reference_pb2 as reference
from revops.quoting.v1 import approval_people_pb2 as people
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.aip.listing import merged, page
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure

from ..deal_facts import facts_of
from . import reactions, templates
from .asking import date_steps, must_stand, request_for, subject_of, submitter_of
from .assessing import assess, chain_above, masked, must_see_margins
from .deciding import Mandate, Person
from .dry_run import dry_run
from .people import ApprovalDelegation, ReportingLine
from .policies import ApprovalPolicy, ApprovalPolicyVersion
from .queries import LASTING, MANDATES
from .request import ApprovalRequest


class PolicyMethods:
    """Policies, their versions and templates: load, verb, save."""

    async def CreateApprovalPolicy(self, request: pb.CreateApprovalPolicyRequest, call: Call) -> policies.ApprovalPolicy:
        repo = call.repo(ApprovalPolicy)
        await _must_have_calendar(call, request.approval_policy)
        policy = ApprovalPolicy.draft(repo.name(request.approval_policy_id), request.approval_policy)
        return (await repo.add(policy)).state

    async def GetApprovalPolicy(self, request: pb.GetApprovalPolicyRequest, call: Call) -> policies.ApprovalPolicy:
        return (await call.repo(ApprovalPolicy).get(request.name)).state

    async def ListApprovalPolicies(self, request: pb.ListApprovalPoliciesRequest, call: Call) -> pb.ListApprovalPoliciesResponse:
        return await page(call, ApprovalPolicy, request, pb.ListApprovalPoliciesResponse)

    async def UpdateApprovalPolicy(self, request: pb.UpdateApprovalPolicyRequest, call: Call) -> policies.ApprovalPolicy:
        policy = await call.repo(ApprovalPolicy).get(request.approval_policy.name, request.approval_policy.etag)
        changed = merged(call, policy, request.approval_policy, request.update_mask)
        await _must_have_calendar(call, changed)
        policy.update(changed)
        return (await call.repo(ApprovalPolicy).save(policy)).state

    async def DeleteApprovalPolicy(self, request: pb.DeleteApprovalPolicyRequest, call: Call) -> Empty:
        policy = await call.repo(ApprovalPolicy).get(request.name, request.etag)
        policy.must_allow("delete")
        await call.repo(ApprovalPolicy).delete(policy)
        return Empty()

    async def PublishApprovalPolicy(self, request: pb.PublishApprovalPolicyRequest, call: Call) -> policies.ApprovalPolicy:
        policy = await call.repo(ApprovalPolicy).get(request.name, request.etag, lock=True)
        replaced = policy.version_name
        version = policy.publish()
        await _supersede(call, replaced)
        await call.repo(ApprovalPolicyVersion).add(version)
        return (await call.repo(ApprovalPolicy).save(policy)).state

    async def RetireApprovalPolicy(self, request: pb.RetireApprovalPolicyRequest, call: Call) -> policies.ApprovalPolicy:
        policy = await call.repo(ApprovalPolicy).get(request.name, request.etag, lock=True)
        policy.retire()
        await _supersede(call, policy.version_name)
        return (await call.repo(ApprovalPolicy).save(policy)).state

    async def GetApprovalPolicyVersion(
        self, request: pb.GetApprovalPolicyVersionRequest, call: Call
    ) -> policies.ApprovalPolicyVersion:
        return (await call.repo(ApprovalPolicyVersion).get(request.name)).state

    async def ListApprovalPolicyVersions(
        self, request: pb.ListApprovalPolicyVersionsRequest, call: Call
    ) -> pb.ListApprovalPolicyVersionsResponse:
        return await page(call, ApprovalPolicyVersion, request, pb.ListApprovalPolicyVersionsResponse)

    async def DryRunApprovalPolicy(self, request: pb.DryRunApprovalPolicyRequest, call: Call) -> pb.DryRunApprovalPolicyResponse:
        return await dry_run(request, call)

    async def GetApprovalTemplate(self, request: pb.GetApprovalTemplateRequest, call: Call) -> policies.ApprovalTemplate:
        return templates.template(request.name)


class PeopleMethods:
    """Delegations and reporting lines.

    What must not lead back to itself is checked under a lock of the tenant, held from before it is read until the commit: else
    two that are added at once could lead to each other.
    """

    async def CreateApprovalDelegation(
        self, request: pb.CreateApprovalDelegationRequest, call: Call
    ) -> people.ApprovalDelegation:
        await call.next_number("approval-delegations")
        repo, offer = call.repo(ApprovalDelegation), request.approval_delegation
        others = await repo.select(LASTING, [call.now.date()])
        name, who = repo.name(request.approval_delegation_id), call.principal
        return (await repo.add(ApprovalDelegation.give(name, offer, who.name, who.roles, others))).state

    async def GetApprovalDelegation(self, request: pb.GetApprovalDelegationRequest, call: Call) -> people.ApprovalDelegation:
        return (await call.repo(ApprovalDelegation).get(request.name)).state

    async def ListApprovalDelegations(
        self, request: pb.ListApprovalDelegationsRequest, call: Call
    ) -> pb.ListApprovalDelegationsResponse:
        return await page(call, ApprovalDelegation, request, pb.ListApprovalDelegationsResponse)

    async def DeleteApprovalDelegation(self, request: pb.DeleteApprovalDelegationRequest, call: Call) -> Empty:
        await call.repo(ApprovalDelegation).delete(await call.repo(ApprovalDelegation).get(request.name, request.etag))
        return Empty()

    async def CreateReportingLine(self, request: pb.CreateReportingLineRequest, call: Call) -> people.ReportingLine:
        await call.next_number("reporting-lines")
        repo, offer = call.repo(ReportingLine), request.reporting_line
        line = ReportingLine.draw(repo.name(request.reporting_line_id), offer, await chain_above(call, offer.manager))
        return (await repo.add(line)).state

    async def GetReportingLine(self, request: pb.GetReportingLineRequest, call: Call) -> people.ReportingLine:
        return (await call.repo(ReportingLine).get(request.name)).state

    async def ListReportingLines(self, request: pb.ListReportingLinesRequest, call: Call) -> pb.ListReportingLinesResponse:
        return await page(call, ReportingLine, request, pb.ListReportingLinesResponse)

    async def UpdateReportingLine(self, request: pb.UpdateReportingLineRequest, call: Call) -> people.ReportingLine:
        await call.next_number("reporting-lines")
        line = await call.repo(ReportingLine).get(request.reporting_line.name, request.reporting_line.etag)
        changed = merged(call, line, request.reporting_line, request.update_mask)
        line.update(changed, await chain_above(call, changed.manager))
        return (await call.repo(ReportingLine).save(line)).state

    async def DeleteReportingLine(self, request: pb.DeleteReportingLineRequest, call: Call) -> Empty:
        await call.repo(ReportingLine).delete(await call.repo(ReportingLine).get(request.name, request.etag))
        return Empty()


class RequestMethods:
    """Requests. Decisions hold the request's row, so that of two at once each sees what the other has done."""

    async def CheckBounds(self, request: pb.CheckBoundsRequest, call: Call) -> pb.CheckBoundsResponse:
        must_see_margins(request, call)
        # A module that asks on its grant speaks of its own: were it asked back, each would wait for connections of the other.
        request.facts.subject = request.subject if call.granted else (await subject_of(call, request.subject)).name
        found = await assess(call, request.facts, request.fingerprint, explain=request.with_counterfactuals)
        return masked(found.answer, call)

    async def PreviewApproval(self, request: pb.PreviewApprovalRequest, call: Call) -> pb.CheckBoundsResponse:
        quote = await subject_of(call, request.quote)
        facts = facts_of(quote)
        facts.submitter = call.principal.name
        return masked((await assess(call, facts, quote.content_hash, explain=True)).answer, call)

    async def RequestApproval(self, request: pb.RequestApprovalRequest, call: Call) -> pb.ApprovalRequest:
        quote = await subject_of(call, request.name)
        must_stand(quote, quote.content_hash)
        facts = facts_of(quote)
        facts.submitter, facts.beneficiaries[:] = await submitter_of(call, quote.name), [call.principal.name]
        made = await request_for(call, facts, quote.content_hash, request.note)
        if made is None:
            text = "{subject} needs no approval, or has what it needs: PreviewApproval tells."
            raise Failure(pb.ApprovalReason, pb.APPROVAL_NOT_NEEDED, text, subject=quote.name)
        return made.state

    async def GetApprovalRequest(self, request: pb.GetApprovalRequestRequest, call: Call) -> pb.ApprovalRequest:
        return (await call.repo(ApprovalRequest).get(request.name)).state

    async def ListApprovalRequests(self, request: pb.ListApprovalRequestsRequest, call: Call) -> pb.ListApprovalRequestsResponse:
        return await page(call, ApprovalRequest, request, pb.ListApprovalRequestsResponse)

    async def ApproveApprovalRequest(self, request: pb.ApproveApprovalRequestRequest, call: Call) -> pb.ApprovalRequest:
        found = await call.repo(ApprovalRequest).get(request.name, request.etag, lock=True)
        found.must_allow("approve")
        must_stand(await subject_of(call, found.state.subject), found.state.fingerprint)
        found.approve(await _person(call), request.step_id, request.note, request.bounds, call.now)
        await date_steps(call, found)
        return (await call.repo(ApprovalRequest).save(found)).state

    async def RejectApprovalRequest(self, request: pb.RejectApprovalRequestRequest, call: Call) -> pb.ApprovalRequest:
        found = await call.repo(ApprovalRequest).get(request.name, request.etag, lock=True)
        found.reject(await _person(call), request.step_id, request.note, call.now)
        return (await call.repo(ApprovalRequest).save(found)).state

    async def RecallApprovalRequest(self, request: pb.RecallApprovalRequestRequest, call: Call) -> pb.ApprovalRequest:
        found = await call.repo(ApprovalRequest).get(request.name, request.etag, lock=True)
        found.recall(request.note, call.now)
        return (await call.repo(ApprovalRequest).save(found)).state

    async def CommentApprovalRequest(self, request: pb.CommentApprovalRequestRequest, call: Call) -> pb.ApprovalRequest:
        found = await call.repo(ApprovalRequest).get(request.name, request.etag, lock=True)
        found.comment(call.principal.name, request.text, call.now)
        return (await call.repo(ApprovalRequest).save(found)).state

    async def OnQuoteSubmitted(self, event: quotes.QuoteSubmitted, call: Call) -> Empty:
        return await reactions.submitted(event, call)

    async def OnQuoteWithdrawn(self, event: quotes.QuoteWithdrawn, call: Call) -> Empty:
        return await reactions.taken_back(call, event.quote, event.version, "The quote was withdrawn.")

    async def OnQuoteExpired(self, event: quotes.QuoteExpired, call: Call) -> Empty:
        return await reactions.taken_back(call, event.quote, event.version, "The quote has expired.", expired=True)

    async def OnQuoteSuperseded(self, event: quotes.QuoteSuperseded, call: Call) -> Empty:
        return await reactions.taken_back(call, event.quote, event.version, "The quote was replaced.")

    async def OnQuoteAccepted(self, event: quotes.QuoteAccepted, call: Call) -> Empty:
        return await reactions.taken_back(call, event.quote, event.version, "The quote was accepted without it.")

    async def OnQuoteRejected(self, event: quotes.QuoteRejected, call: Call) -> Empty:
        return await reactions.taken_back(call, event.quote, event.version, "The customer declined.")

    async def EscalateApprovalStep(self, request: pb.EscalateApprovalStepRequest, call: Call) -> Empty:
        return await reactions.escalate(request, call)

    async def CheckApprovalSubject(self, request: pb.CheckApprovalSubjectRequest, call: Call) -> Empty:
        return await reactions.check_subject(request, call)


class ApprovalService(PolicyMethods, PeopleMethods, RequestMethods):
    """One method per rpc."""


async def _person(call: Call) -> Person:
    """The caller as one who decides today. A program decides only where it is named: roles ask people."""
    who = call.principal
    given = await call.repo(ApprovalDelegation).select(MANDATES, [who.name, call.now.date()])
    mandates = tuple(Mandate(each.name, each.state.delegator, tuple(each.state.roles)) for each in given)
    return Person(who.name, () if who.service else who.roles, mandates)


async def _must_have_calendar(call: Call, policy: policies.ApprovalPolicy) -> None:
    """Refused with RESOURCE_NOT_FOUND unless the calendar exists."""
    if policy.calendar:
        await call.ask(reference.GetBusinessCalendarRequest(name=policy.calendar), reference.BusinessCalendar)


async def _supersede(call: Call, name: str) -> None:
    """Has a version decide no more, if it exists."""
    versions = call.repo(ApprovalPolicyVersion)
    version = await versions.find(name)
    if version is not None:
        version.supersede()
        await versions.save(version)
