package revops

import (
	"context"
	"iter"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Refusal is a failed call as the caller can act on it (AIP-193).
type Refusal struct {
	Code    codes.Code
	Message string
	// Reason is the name of a value of a …Reason enum, as in QUOTE_STATE; empty if it was not the member that refused.
	Reason string
	// Domain is the package of the contract that documents the reason.
	Domain string
	// Metadata is what the reason speaks of.
	Metadata map[string]string
	// Violations are the fields of the request that were not accepted.
	Violations []*errdetails.BadRequest_FieldViolation
	// RetryAfter is when the call may succeed; 0 if the member did not say.
	RetryAfter time.Duration
}

// Refused is what a failed call says.
func Refused(err error) Refusal {
	failed := status.Convert(err)
	refusal := Refusal{Code: failed.Code(), Message: failed.Message()}
	for _, detail := range failed.Details() {
		switch said := detail.(type) {
		case *errdetails.ErrorInfo:
			refusal.Reason, refusal.Domain, refusal.Metadata = said.Reason, said.Domain, said.Metadata
		case *errdetails.BadRequest:
			refusal.Violations = said.FieldViolations
		case *errdetails.RetryInfo:
			refusal.RetryAfter = said.RetryDelay.AsDuration()
		}
	}
	return refusal
}

// Page is an answer of a List method.
type Page interface {
	proto.Message
	GetNextPageToken() string
}

// Pages goes through the pages of a List method (AIP-158) to the end, or to the first that fails.
func Pages[Request proto.Message, P Page](
	ctx context.Context, list func(context.Context, Request, ...grpc.CallOption) (P, error), request Request,
) iter.Seq2[P, error] {
	return func(yield func(P, error) bool) {
		next := request
		for {
			page, err := list(ctx, next)
			if !yield(page, err) || err != nil || page.GetNextPageToken() == "" {
				return
			}
			next = proto.Clone(request).(Request)
			fields := next.ProtoReflect().Descriptor().Fields()
			next.ProtoReflect().Set(fields.ByName("page_token"), protoreflect.ValueOfString(page.GetNextPageToken()))
		}
	}
}
