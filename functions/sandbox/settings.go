package sandbox

import (
	"net/http"
	"slices"
)

// setting is a documented switch of a simulated partner.
type setting struct {
	name   string
	values []string // allowed; the first is the default
}

func settingKey(partner, name string) string {
	return "settings/" + partner + "/" + name
}

// setting returns the value of one of the partner's own settings.
func (c *call) setting(name string) (string, error) {
	b, err := c.Get(settingKey(c.simulator.name, name))
	if err != nil {
		return "", err
	}
	for _, def := range c.simulator.settings {
		if def.name == name && !slices.Contains(def.values, string(b)) {
			return def.values[0], nil
		}
	}
	return string(b), nil
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
	p := find(s.simulators, in.Partner)
	if p == nil {
		return unprocessable("/partner", "is not a simulated partner", partnerNames(s.simulators)...)
	}
	i := slices.IndexFunc(p.settings, func(def setting) bool { return def.name == in.Name })
	if i < 0 {
		var names []string
		for _, def := range p.settings {
			names = append(names, def.name)
		}
		return unprocessable("/name", "is not a setting of "+p.name, names...)
	}
	if values := p.settings[i].values; !slices.Contains(values, in.Value) {
		return unprocessable("/value", "is not a value of "+in.Name, values...)
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
