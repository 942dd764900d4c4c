package sandbox

import (
	"net/http"
	"slices"
)

func settingKey(partner, name string) string {
	return "settings/" + partner + "/" + name
}

// setSetting answers POST /sandbox/settings {"partner","name","value"} with what it set.
func (s *Sandbox) setSetting(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Partner string `json:"partner"`
		Name    string `json:"name"`
		Value   string `json:"value"`
	}
	if err := decodeStrict(w, r, &in, "partner", "name", "value"); err != nil {
		return err
	}
	p := find(s.opts.Simulators, in.Partner)
	if p == nil {
		return Unprocessable("/partner", "is not a simulated partner", partnerNames(s.opts.Simulators)...)
	}
	i := slices.IndexFunc(p.Settings, func(def Setting) bool { return def.Name == in.Name })
	if i < 0 {
		var names []string
		for _, def := range p.Settings {
			names = append(names, def.Name)
		}
		return Unprocessable("/name", "is not a setting of "+p.Name, names...)
	}
	if values := p.Settings[i].Values; !slices.Contains(values, in.Value) {
		return Unprocessable("/value", "is not a value of "+in.Name, values...)
	}
	err := s.store.Update(r.Context(), func(tx Tx) error {
		return tx.Put(settingKey(in.Partner, in.Name), []byte(in.Value))
	})
	if err != nil {
		return err
	}
	writeJSON(w, http.StatusOK, in)
	return nil
}
