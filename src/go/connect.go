// Package revops connects to a revops member: credentials, deadlines, retries and request ids for the generated clients.
//
// The clients and messages of a capability are in revops/client/<capability>/v1.
package revops

import (
	"context"
	_ "embed"
	"fmt"
	"net"
	"time"

	"github.com/google/uuid"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Which methods are retried, and when: the same for clients of all languages (gRFC A6).
//
//go:embed service_config.json
var serviceConfig string

// Options say how to connect. The zero value calls without a token, on this machine.
type Options struct {
	// Token gets the caller's token, a JWT or an API key. It is asked at each call and keeps what it may.
	Token func(context.Context) (string, error)
	// Credentials are for TLS. Without them nothing is encrypted, which is refused for other machines.
	Credentials credentials.TransportCredentials
	// Plaintext says that something else encrypts, such as a proxy beside the caller.
	Plaintext bool
	// Timeout is what a unary call may take whose context has no deadline. Default 10 s.
	Timeout time.Duration
}

// Dial connects to host:port when the first call is made.
func Dial(target string, options Options, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	if options.Credentials == nil {
		if !options.Plaintext && !local(target) {
			return nil, fmt.Errorf("revops: calls to %s would be readable on the way: set Credentials, or Plaintext where a proxy encrypts", target)
		}
		options.Credentials = insecure.NewCredentials()
	}
	if options.Timeout == 0 {
		options.Timeout = 10 * time.Second
	}
	settings := []grpc.DialOption{
		grpc.WithTransportCredentials(options.Credentials),
		grpc.WithDefaultServiceConfig(serviceConfig),
		grpc.WithChainUnaryInterceptor(options.unary),
	}
	if options.Token != nil {
		settings = append(settings, grpc.WithPerRPCCredentials(bearer(options.Token)))
	}
	return grpc.NewClient(target, append(settings, more...)...)
}

// unary gives a call a deadline and a change an id, so that it happens once however often it is sent.
func (o Options) unary(
	ctx context.Context, method string, request, answer any, conn *grpc.ClientConn, invoke grpc.UnaryInvoker, more ...grpc.CallOption,
) error {
	if _, set := ctx.Deadline(); !set {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, o.Timeout)
		defer cancel()
	}
	if message, ok := request.(proto.Message); ok {
		request = With(message, "request_id", uuid.NewString())
	}
	return invoke(ctx, method, request, answer, conn, more...)
}

// With returns the message with a text in a field, or the message itself if it has no such field or the field is set.
func With[M proto.Message](message M, field protoreflect.Name, text string) M {
	found := message.ProtoReflect().Descriptor().Fields().ByName(field)
	if found == nil || message.ProtoReflect().Has(found) {
		return message
	}
	copied := proto.Clone(message).(M)
	copied.ProtoReflect().Set(found, protoreflect.ValueOfString(text))
	return copied
}

type bearer func(context.Context) (string, error)

func (b bearer) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token, err := b(ctx)
	return map[string]string{"authorization": "Bearer " + token}, err
}

// RequireTransportSecurity is for Dial to say, which knows where the calls go.
func (bearer) RequireTransportSecurity() bool { return false }

func local(target string) bool {
	host, _, err := net.SplitHostPort(target)
	address := net.ParseIP(host)
	return err == nil && (host == "localhost" || address != nil && address.IsLoopback())
}
