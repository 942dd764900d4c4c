package generate

import (
	"path"
	"strings"
	"text/template"

	"sallyport/shared/partner"
)

// main is the wiring of one Lambda, which links its own operation alone, and no AWS client that it doesn't call.
var main = template.Must(template.New("main").Parse(header + `package main

import (
{{- if .Config}}
	"os"
{{end}}
	"github.com/aws/aws-lambda-go/lambda"

	"sallyport/functions/{{.Partner.Name}}"
	"sallyport/shared/awsenv"
	"sallyport/shared/awsenv/awssecrets"
{{- if .IsCallback}}
	"sallyport/shared/awsenv/awssteps"
{{- else}}
{{- if .HasVault}}
	"sallyport/shared/awsenv/awsvault"
{{- end}}
	"sallyport/shared/operation"
{{- end}}
)

func main() {
	config := {{.Partner.Name}}.Config{ {{- .Config -}} }
{{- if .IsCallback}}
	lambda.Start(awsenv.Callback({{.Partner.Name}}.{{.Func}}(config), awssecrets.New(), awssteps.New()))
{{- else}}
	pipeline := awsenv.Pipeline(awssecrets.New())
{{- if .HasVault}}
	pipeline.Vault = awsvault.New(pipeline.Ring)
{{- end}}
	lambda.Start(operation.New(pipeline, {{.Partner.Name}}.{{.Func}}(config)))
{{- end}}
}
`))

// mains adds the main of every function, whose operation or receiver has the folder's name: "get-customer" is of
// GetCustomer.
func mains(files map[string]string, all []partner.Partner) error {
	for _, p := range all {
		for _, e := range p.Endpoints {
			f := function{Endpoint: e}
			config := ""
			if f.CallsPartner() {
				config = `BaseURL: os.Getenv("` + p.Variable() + `")`
			}
			var out strings.Builder
			err := main.Execute(&out, struct {
				function
				Partner      partner.Partner
				Func, Config string
			}{f, p, LogicalID(path.Base(e.Name)), config})
			if err != nil {
				return err
			}
			files["functions/"+e.Name+"/main.go"] = out.String()
		}
	}
	return nil
}
