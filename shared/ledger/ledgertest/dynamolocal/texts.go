package dynamolocal

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// Texts returns every name, text and byte that lies in a small table, for tests that look for what must not.
func Texts(t testing.TB, table string) (all []byte) {
	t.Helper()
	page, err := Client(t).Scan(t.Context(), &dynamodb.ScanInput{TableName: &table})
	if err != nil || page.LastEvaluatedKey != nil || len(page.Items) == 0 {
		t.Fatalf("scan: %v, %d items", err, len(page.Items))
	}
	for _, item := range page.Items {
		all = append(all, texts(&types.AttributeValueMemberM{Value: item})...)
	}
	return all
}

// texts are all texts and bytes in an attribute.
func texts(value types.AttributeValue) (all []byte) {
	switch v := value.(type) {
	case *types.AttributeValueMemberS:
		return append([]byte(v.Value), '\n')
	case *types.AttributeValueMemberB:
		return append(v.Value, '\n')
	case *types.AttributeValueMemberSS:
		return []byte(strings.Join(v.Value, "\n"))
	case *types.AttributeValueMemberL:
		for _, element := range v.Value {
			all = append(all, texts(element)...)
		}
	case *types.AttributeValueMemberM:
		for name, element := range v.Value {
			all = append(append(all, name...), texts(element)...)
		}
	}
	return all
}
