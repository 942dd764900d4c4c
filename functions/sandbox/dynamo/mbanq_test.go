package dynamo_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/go-json-experiment/json"

	"sallyport/functions/sandbox"
	"sallyport/functions/sandbox/dynamo"
	"sallyport/functions/sandbox/mbanq"
	"sallyport/shared/ledger/ledgertest/dynamolocal"
)

// TestSandbox_Mbanq: of concurrent creates with one externalId one has an effect, and so has one of concurrent
// verifications.
func TestSandbox_Mbanq(t *testing.T) {
	client := dynamolocal.Client(t)
	s := sandbox.New(dynamo.New(client, dynamolocal.Table(t, client)), sandbox.Options{
		Authenticate: func(*http.Request) error { return nil },
		Simulators:   []sandbox.Simulator{mbanq.New(mbanq.Options{})},
	})
	d, token := mbanq.Defaults(), ""
	do := func(method, path, contentType, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "/sandbox"+path, strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		r.Header.Set("tenantId", d.TenantID)
		r.Header.Set("Authorization", "Bearer "+token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		return w
	}
	post := func(path, body string) int { return do("POST", "/mbanq"+path, "application/json", body).Code }
	form := url.Values{
		"grant_type": {"password"}, "client_id": {d.ClientID}, "client_secret": {d.ClientSecret}, "username": {d.Username},
		"password": {d.Password},
	}
	var issued struct {
		Access string `json:"access_token"`
	}
	if err := json.Unmarshal(
		do("POST", "/mbanq/oauth/token", "application/x-www-form-urlencoded", form.Encode()).Body.Bytes(), &issued,
	); err != nil {
		t.Fatal(err)
	}
	token = issued.Access

	const n = 8
	concurrently := func(request func(i int) int) map[int]int {
		codes := make(chan int, n)
		for i := range n {
			go func() { codes <- request(i) }()
		}
		got := map[int]int{}
		for range n {
			got[<-codes]++
		}
		return got
	}
	created := concurrently(func(i int) int {
		return post("/v1/clients",
			fmt.Sprintf(`{"officeId":1,"legalFormId":1,"firstname":"Noor","lastname":"Example","dateOfBirth":"1991-07-03",`+
				`"genderId":22,"emailAddress":"noor@example.com","mobileCountryCode":"1","mobileNo":"55501000%d","externalId":"onb-1",`+
				`"submittedOnDate":"2026-01-01","dateFormat":"yyyy-MM-dd","locale":"en"}`, i))
	})
	if created[200] != 1 || created[403] != n-1 {
		t.Errorf("created: %v", created)
	}
	added := post(
		"/v1/client/8801/addresses?type=1",
		`{"addressLine1":"1 First Street","city":"Sampletown","stateProvinceId":201,"countryId":101,"postalCode":"94016","isActive":true}`,
	)
	if added != 200 {
		t.Errorf("address: %d", added)
	}
	if identified := concurrently(func(i int) int {
		return post(
			"/v1/clients/8801/identifiers",
			fmt.Sprintf(`{"documentTypeId":"44","documentKey":"21909999%d","status":"Active"}`, i),
		)
	}); identified[200] != 1 || identified[403] != n-1 {
		t.Errorf("identified: %v", identified)
	}
	if verified := concurrently(func(int) int {
		return post("/v1/clients/8801?command=verify", `{"kycVerificationType":"PARTIAL"}`)
	}); verified[200] != n {
		t.Errorf("verified: %v", verified)
	}
	log := do("GET", "/requests?partner=mbanq", "", "").Body.String()
	if effects := strings.Count(log, `"effect":true`); effects != 4 {
		t.Errorf("%d effects in %s", effects, log)
	}
	list := do("GET", "/mbanq/v1/clients?externalId=onb-1", "", "").Body.String()
	if !strings.HasPrefix(list, `{"totalFilteredRecords":1,`) ||
		!strings.Contains(list, `"clientVerificationStatus":"APPROVED"`) {
		t.Error(list)
	}
}
