"""Approvals as people meet them: a discount is asked for, decided, remembered, and asked for again only where it got worse."""

from datetime import timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from revops.catalog.v1 import products_pb2 as products
from revops.platform.v1 import reference_pb2 as reference
from revops.quoting.v1 import approval_events_pb2 as events
from revops.quoting.v1 import approval_people_pb2 as people
from revops.quoting.v1 import approval_policies_pb2 as policies
from revops.quoting.v1 import approvals_pb2 as pb
from revops.quoting.v1 import quotes_pb2 as quotes

from revops_mesh.kernel import clock
from revops_mesh.quoting.approvals import templates
from tests.contract.making import HOURS
from tests.contract.people import holding
from tests.quoting.approvals.deals import role, rule, user
from tests.quoting.approvals.office import EVERYTHING, Office, approve, delegation, reject
from tests.quoting.quotes.deals import later
from tests.world import World

S, T, A = pb.ApprovalRequest.State, pb.ApprovalStep.State, pb.CheckBoundsResponse
REGION = rule("region", "max_line_discount_rate > 0.15", role("region"), level=1)
UNIT = rule("unit", "max_line_discount_rate > 0.2", role("unit"), level=2)


async def test_a_discount_goes_up_its_chain_and_is_approved_once(world: World) -> None:
    office = await Office.opened(world, REGION, UNIT)
    quote = await office.offer("0.25")
    request = await office.request(quote.name)
    assert (len(await office.requests(quote.name)), request.fingerprint) == (1, quote.content_hash)
    assert (request.facts.submitter, list(request.pending_approvers)) == ("users/seller", ["roles/region"])
    maria, uma = await office.who("maria", "region"), await office.who("uma", "unit")
    assert (await uma.refusal(approve(request))).reason == "APPROVAL_NOT_ASKED"
    assert (await office.deals.caller.refusal(approve(request))).reason == "APPROVAL_CONFLICT_OF_INTEREST"
    half = await maria(approve(request, note="fine"))
    assert (half.state, list(half.pending_approvers)) == (S.STATE_IN_PROGRESS, ["roles/unit"])
    done = await uma(approve(request))
    assert (done.state, list(done.pending_approvers)) == (S.STATE_APPROVED, [])
    assert done.steps[0].decisions[0].note == "fine"
    refused = await uma.refusal(reject(request))
    assert (refused.reason, refused.metadata["state"]) == ("APPROVAL_REQUEST_STATE", "APPROVED")
    approved = [event for event in await office.told() if isinstance(event, events.ApprovalRequestApproved)]
    assert [(event.subject, event.version, event.fingerprint) for event in approved] == [(quote.name, 1, quote.content_hash)]


async def test_a_small_discount_needs_nobody(world: World) -> None:
    office = await Office.opened(world, REGION)
    quote = await office.offer("0.15")
    assert await office.requests(quote.name) == []
    assert (await office.deals.caller(pb.PreviewApprovalRequest(quote=quote.name))).outcome == A.OUTCOME_NOT_NEEDED
    refused = await office.deals.caller.refusal(pb.RequestApprovalRequest(name=quote.name))
    assert refused.reason == "APPROVAL_NOT_NEEDED"


async def test_what_the_rules_said_at_the_submit_holds_when_it_is_heard_of_late(world: World) -> None:
    office = await Office.opened(world)
    draft = office.deals.offer("10")
    draft.lines[0].discount_rate = "0.25"
    made = await office.deals.caller(quotes.CreateQuoteRequest(quote=draft))
    quote = await office.deals.submit(made.name)
    await office.publish(policies.ApprovalPolicy(display_name="Deals", rules=[REGION]))
    await office.hear(quotes.QuoteSubmitted(quote=quote.name, version=quote.version, content_hash=quote.content_hash))
    assert await office.requests(quote.name) == []
    assert (await office.deals.get(quote.name)).approval.state == quotes.QuoteApproval.STATE_NOT_NEEDED


async def test_a_preview_shows_the_chain_the_reasons_and_the_way_out(world: World) -> None:
    office = await Office.opened(world, REGION, UNIT)
    draft = office.deals.offer("10")
    draft.lines[0].discount_rate = "0.17"
    made = await office.deals.caller(quotes.CreateQuoteRequest(quote=draft))
    said = await office.deals.caller(pb.PreviewApprovalRequest(quote=made.name))
    assert (said.outcome, [step.step_id.partition("/")[2] for step in said.steps]) == (A.OUTCOME_NEEDED, ["region"])
    assert [need.text for need in said.needs] == ["max_line_discount_rate > 0.15"]
    assert [(each.lever, each.target, each.amount) for each in said.counterfactuals] == [("line_discount_cap", "0.15", "2.00")]
    assert await office.requests(made.name) == []


async def test_a_better_version_is_granted_and_a_worse_one_says_why_not(world: World) -> None:
    office = await Office.opened(world, REGION)
    quote = await office.offer("0.18")
    maria = await office.who("maria", "region")
    first = await office.request(quote.name)
    await maria(approve(first))
    await office.revise(quote.name, rate="0.16")
    said = await office.deals.caller(pb.PreviewApprovalRequest(quote=quote.name))
    assert (said.outcome, said.request, len(await office.requests(quote.name))) == (A.OUTCOME_GRANTED, first.name, 1)
    await office.revise(quote.name, rate="0.19")
    said = await office.deals.caller(pb.PreviewApprovalRequest(quote=quote.name))
    assert said.outcome == A.OUTCOME_PENDING
    await office.deals.caller(pb.RecallApprovalRequestRequest(name=said.request, note="once more"))
    said = await office.deals.caller(pb.PreviewApprovalRequest(quote=quote.name))
    assert ("max_line_discount_rate", "0.18", "0.19") in [(need.bound, need.limit, need.actual) for need in said.needs]
    blind = await holding(world, office.tenant, EVERYTHING - {"quoting.margins.read"})
    masked = await blind(pb.PreviewApprovalRequest(quote=quote.name))
    assert all(not need.actual for need in masked.needs if "margin" in need.bound)
    again = await office.deals.caller(pb.RequestApprovalRequest(name=quote.name))
    assert again.name != said.request


async def test_bounds_that_an_approver_gives_hold_for_later_versions(world: World) -> None:
    office = await Office.opened(world, REGION, UNIT)
    quote = await office.offer("0.16")
    margins = pb.MarginBounds(min_margin_rate="-1", min_line_margin_rate="-1")
    wide = pb.ApprovalBounds(max_discount_rate="0.3", max_line_discount_rate="0.3", margins=margins)
    await (await office.who("maria", "region"))(approve(await office.request(quote.name), bounds=wide))
    await office.revise(quote.name, rate="0.2")
    assert len(await office.requests(quote.name)) == 1
    await office.revise(quote.name, rate="0.21")
    assert [step.step_id.partition("/")[2] for step in (await office.request(quote.name)).steps] == ["region", "unit"]


async def test_a_rejection_stays_until_the_content_changes(world: World) -> None:
    office = await Office.opened(world, REGION)
    quote = await office.offer("0.18")
    await (await office.who("maria", "region"))(reject(await office.request(quote.name), note="too much"))
    assert (await office.deals.caller.refusal(pb.RequestApprovalRequest(name=quote.name))).reason == "APPROVAL_NOT_NEEDED"
    said = await office.deals.caller(pb.PreviewApprovalRequest(quote=quote.name))
    assert (said.outcome, said.counterfactuals[0].target) == (A.OUTCOME_REJECTED, "0.15")
    await office.revise(quote.name, rate="0.17")
    assert (await office.request(quote.name)).state == S.STATE_IN_PROGRESS


async def test_a_quote_that_leaves_the_table_takes_its_request_along(world: World) -> None:
    office = await Office.opened(world, REGION)
    one, two, three, four, five = [await office.offer("0.18") for _ in range(5)]
    await office.hear(quotes.QuoteWithdrawn(quote=one.name, version=1))
    await office.hear(quotes.QuoteExpired(quote=two.name, version=1))
    await office.hear(quotes.QuoteSuperseded(quote=three.name, version=0))
    await office.hear(quotes.QuoteAccepted(quote=four.name, version=1))
    await office.hear(quotes.QuoteRejected(quote=five.name, version=1))
    states = [(await office.request(quote.name)).state for quote in (one, two, three, four, five)]
    assert states == [S.STATE_RECALLED, S.STATE_EXPIRED, S.STATE_IN_PROGRESS, S.STATE_RECALLED, S.STATE_RECALLED]


async def test_a_withdrawal_that_is_not_heard_yet_stops_approval_and_is_noticed(world: World) -> None:
    office = await Office.opened(world, REGION)
    quote = await office.offer("0.18")
    request = await office.request(quote.name)
    await office.deals.caller(quotes.WithdrawQuoteRequest(name=quote.name))
    refused = await (await office.who("maria", "region")).refusal(approve(request))
    assert (refused.reason, refused.metadata["state"]) == ("APPROVAL_SUBJECT_CHANGED", "WITHDRAWN")
    await office.deals.fire(pb.CheckApprovalSubjectRequest(name=request.name))
    assert (await office.request(quote.name)).state == S.STATE_RECALLED
    await office.hear(quotes.QuoteSubmitted(quote=quote.name, version=1, content_hash=quote.content_hash))
    assert len(await office.requests(quote.name)) == 1


async def test_a_delegate_decides_on_the_days_that_were_given_and_no_other(world: World) -> None:
    office = await Office.opened(world, REGION)
    maria, bert = await office.who("maria", "region"), await office.who("bert")
    await maria(delegation("bert", first=1, last=2))
    request = await office.request((await office.offer("0.18")).name)
    assert (await bert.refusal(approve(request))).reason == "APPROVAL_NOT_ASKED"
    with later(days=1):
        done = await (await office.who("bert"))(approve(request))
    decision = done.steps[0].decisions[0]
    assert (done.state, decision.principal, decision.on_behalf_of) == (S.STATE_APPROVED, "users/bert", "users/maria")


async def test_nobody_delegates_in_a_circle_or_to_himself(world: World) -> None:
    office = await Office.opened(world)
    anna, bert, cleo = [await office.who(name) for name in ("anna", "bert", "cleo")]
    assert (await anna.refusal(delegation("anna"))).reason == "DELEGATION_TO_ONESELF"
    assert (await anna.refusal(delegation("bert", first=3, last=1))).reason == "DELEGATION_PERIOD"
    await anna(delegation("bert"))
    await bert(delegation("cleo", first=5, last=20))
    assert (await cleo.refusal(delegation("anna"))).metadata["through"] == "users/anna, users/bert, users/cleo"
    await cleo(delegation("anna", first=8, last=9))


async def test_managers_are_found_by_reporting_lines_which_never_close(world: World) -> None:
    asked = policies.Approver(manager_level=2)
    office = await Office.opened(world, rule("chief", "true", asked))
    seller = office.deals.caller

    def line(who: str, manager: str) -> pb.CreateReportingLineRequest:
        offer = people.ReportingLine(employee=f"users/{who}", manager=f"users/{manager}")
        return pb.CreateReportingLineRequest(reporting_line=offer)

    await seller(line("seller", "maria"))
    await seller(line("maria", "uma"))
    assert (await seller.refusal(line("uma", "seller"))).reason == "REPORTING_LOOP"
    request = await office.request((await office.offer("0")).name)
    seat = request.steps[0].seats[0]
    assert (seat.approver, seat.because) == ("users/uma", "manager level 2 of users/seller")


async def test_a_step_escalates_by_the_business_calendar(world: World) -> None:
    office = await Office.opened(world)
    calendar = reference.BusinessCalendar(display_name="Office", time_zone="Europe/Berlin", working_hours=HOURS)
    made = await office.deals.caller(reference.CreateBusinessCalendarRequest(business_calendar=calendar))
    slow = rule("region", "true", role("region"), escalation=[role("unit")], response_minutes=60)
    await office.publish(policies.ApprovalPolicy(display_name="Deals", rules=[slow], calendar=made.name))
    request = await office.request((await office.offer("0.1")).name)
    due = reference.AddBusinessHoursRequest(name=made.name, start_time=request.create_time, minutes=60)
    assert request.steps[0].due_time == (await office.deals.caller(due)).end_time
    uma, timer = (
        await office.who("uma", "unit"),
        pb.EscalateApprovalStepRequest(name=request.name, step_id=request.steps[0].step_id),
    )
    await office.deals.fire(timer)
    assert (await office.request(request.subject)).state == S.STATE_IN_PROGRESS
    with later(days=6):
        await office.deals.fire(timer)
        await office.deals.fire(timer)
    late = await office.request(request.subject)
    assert (late.state, list(late.pending_approvers)) == (S.STATE_ESCALATED, ["roles/region", "roles/unit"])
    assert sum(isinstance(event, events.ApprovalRequestEscalated) for event in await office.told()) == 1
    assert (await uma(approve(request))).state == S.STATE_APPROVED


async def test_a_calendar_that_is_not_there_is_refused_when_saved(world: World) -> None:
    office = await Office.opened(world)
    policy = policies.ApprovalPolicy(display_name="Deals", calendar="businessCalendars/none")
    refused = await office.deals.caller.refusal(pb.CreateApprovalPolicyRequest(approval_policy=policy))
    assert refused.reason == "RESOURCE_NOT_FOUND"


async def test_a_request_finishes_on_the_version_that_it_began_under(world: World) -> None:
    office = await Office.opened(world)
    parameters = [policies.TemplateParameterValue(parameter="regional_role", value="region")]
    policy = await office.publish(policies.ApprovalPolicy(display_name="Deals", template=templates.NAME, parameters=parameters))
    before = await office.request((await office.offer("0.18")).name)
    relaxed = policies.ApprovalPolicy(name=policy.name, parameters=[*parameters, _value("approval_rate", "0.2")])
    changed = await office.deals.caller(pb.UpdateApprovalPolicyRequest(approval_policy=relaxed))
    tried = await office.deals.caller(pb.DryRunApprovalPolicyRequest(name=policy.name))
    assert (tried.quotes, tried.needing_before, tried.needing_after) == (1, 1, 0)
    assert tried.differences[0].change == policies.DryRunDifference.CHANGE_NOT_NEEDED
    assert list(tried.differences[0].before) == [f"{policy.name.partition('/')[2]}/regional: roles/region"]
    await office.deals.caller(pb.PublishApprovalPolicyRequest(name=policy.name, etag=changed.etag))
    assert await office.requests((await office.offer("0.18")).name) == []
    done = await (await office.who("maria", "region"))(approve(before))
    assert (done.state, list(done.policy_versions)) == (S.STATE_APPROVED, [f"{policy.name}/versions/1"])
    await office.deals.caller(pb.RetireApprovalPolicyRequest(name=policy.name))
    assert await office.requests((await office.offer("0.3")).name) == []


def _value(parameter: str, value: str) -> policies.TemplateParameterValue:
    return policies.TemplateParameterValue(parameter=parameter, value=value)


async def test_a_dry_run_goes_through_all_quotes_page_by_page(world: World) -> None:
    office = await Office.opened(world, REGION)
    for rate in ("0.1", "0.16", "0.18", "0.25", "0.05"):
        await office.offer(rate)
    draft = policies.ApprovalPolicy(display_name="Stricter", rules=[rule("all", "max_line_discount_rate >= 0.1", user("cfo"))])
    policy = await office.deals.caller(pb.CreateApprovalPolicyRequest(approval_policy=draft))
    pages, token = [], ""
    while not pages or token:
        asked = pb.DryRunApprovalPolicyRequest(
            name=policy.name, quote_count=2, quote_token=token, quote_filter="state = SUBMITTED"
        )
        pages.append(await office.deals.caller(asked))
        token = pages[-1].next_quote_token
    assert [page.quotes for page in pages] == [2, 2, 1]
    assert (sum(page.needing_before for page in pages), sum(page.needing_after for page in pages)) == (3, 4)
    kinds = sorted(difference.change for page in pages for difference in page.differences)
    assert kinds == [policies.DryRunDifference.CHANGE_NEEDED, *[policies.DryRunDifference.CHANGE_OTHERS] * 3]


async def test_comments_are_kept_with_who_and_when(world: World) -> None:
    office = await Office.opened(world, REGION)
    request = await office.request((await office.offer("0.18")).name)
    await (await office.who("maria", "region"))(pb.CommentApprovalRequestRequest(name=request.name, text="why so much?"))
    said = await office.deals.caller(pb.CommentApprovalRequestRequest(name=request.name, text="they buy ten"))
    assert [(each.principal, each.text) for each in said.comments] == [
        ("users/maria", "why so much?"),
        ("users/seller", "they buy ten"),
    ]
    now, then = Timestamp(), clock.now() - timedelta(minutes=5)
    now.FromDatetime(then)
    assert all(each.time.seconds >= now.seconds for each in said.comments)


async def test_the_families_of_products_are_known_to_rules_of_header_and_lines(world: World) -> None:
    office = await Office.opened(world)
    product = office.deals.plans[0].partition("/ratePlans/")[0]
    await office.deals.caller(products.UpdateProductRequest(product=products.Product(name=product, family="Gold")))
    header = rule("header", '"Gold" in families')
    lines = rule("lines", 'lines.exists(l, l.family == "Gold" && l.quantity > 5.0)')
    policy = await office.publish(policies.ApprovalPolicy(display_name="Deals", rules=[header, lines]))
    request = await office.request((await office.offer("0")).name)
    assert [step.step_id.partition("/")[2] for step in request.steps] == ["header", "lines"]
    assert list(request.facts.families) == ["Gold"]
    tried = await office.deals.caller(pb.DryRunApprovalPolicyRequest(name=policy.name))
    assert (tried.needing_before, tried.needing_after, len(tried.differences)) == (1, 1, 0)
