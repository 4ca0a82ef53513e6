//go:build generated

package revops

// What generated code imports: named here so that go.mod holds it before there is any.
import (
	_ "cloud.google.com/go/longrunning/autogen/longrunningpb"
	_ "google.golang.org/genproto/googleapis/type/date"
)
