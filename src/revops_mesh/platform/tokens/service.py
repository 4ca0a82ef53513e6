"""TokenService. Access, edition and audit: see the contract."""

from revops.platform.v1 import tokens_pb2 as pb

from revops_mesh.identity.issuer import LIVES_SECONDS
from revops_mesh.identity.patterns import expand
from revops_mesh.kernel.call import Call
from revops_mesh.kernel.errors import Failure
from revops_mesh.kernel.principal import EVERYTHING, Issuer


class TokenService:
    """One method per rpc."""

    async def IssueToken(self, request: pb.IssueTokenRequest, call: Call) -> pb.AccessToken:
        issuer, scopes = _issuer(call), tuple(request.scopes) or EVERYTHING
        if not issuer.signs:
            raise _not_issued()
        if not call.principal.key:
            raise Failure(pb.TokenReason, pb.TOKEN_NEEDS_KEY, "A token is issued to an API key: call with the key itself.")
        for scope in scopes:
            if not expand((scope,), call.principal.permissions):
                raise Failure(
                    pb.TokenReason,
                    pb.TOKEN_SCOPE_EXCEEDED,
                    "The account may do nothing within {token_scope}.",
                    token_scope=scope,
                )
        return pb.AccessToken(
            access_token=issuer.issue(call.principal, scopes),
            token_type="Bearer",
            expires_in=LIVES_SECONDS,
            scope=" ".join(scopes),
        )

    async def GetCaller(self, request: pb.GetCallerRequest, call: Call) -> pb.Caller:
        who = call.principal
        return pb.Caller(
            name=who.name,
            tenant=who.tenant.hex,
            edition=who.edition,  # type: ignore[arg-type]
            partner=who.partner,
            permissions=sorted(who.permissions),
        )

    async def GetKeySet(self, request: pb.GetKeySetRequest, call: Call) -> pb.KeySet:
        return pb.KeySet(keys=[pb.KeySet.Key(**key) for key in _issuer(call).public_keys()])

    async def GetAuthorizationServer(self, request: pb.GetAuthorizationServerRequest, call: Call) -> pb.AuthorizationServer:
        where = _issuer(call).name
        return pb.AuthorizationServer(
            issuer=where,
            token_endpoint=f"{where}/oauth2/token",
            jwks_uri=f"{where}/.well-known/jwks.json",
            grant_types_supported=["client_credentials"],
            token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post"],
            service_documentation=f"{where}/docs",
        )


def _issuer(call: Call) -> Issuer:
    if (issuer := call.kernel.authenticator.issuer) is None:
        raise _not_issued()
    return issuer


def _not_issued() -> Failure:
    return Failure(pb.TokenReason, pb.TOKENS_NOT_ISSUED, "This installation issues no tokens: call with the API key itself.")
