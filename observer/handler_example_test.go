package observer_test

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"

	"tinyactor/actor"
	"tinyactor/observer"
)

// The page stands on a server of the program's own, behind what guards the rest of
// its operations pages; here that is a password.
func ExampleObserver_Handler() {
	o := observer.New(observer.Options{})
	ctx, cancel := context.WithCancel(o.Watch(context.Background()))
	defer cancel()
	greeter, _ := actor.Spawn(ctx, actor.Config{Name: "greeter"}, greet)

	mux := http.NewServeMux()
	mux.Handle("/debug/actors/", guard("secret", http.StripPrefix("/debug/actors", o.Handler())))
	server := httptest.NewServer(mux)
	defer server.Close()

	for _, password := range []string{"guess", "secret"} {
		r, _ := http.NewRequest(http.MethodGet, server.URL+"/debug/actors/snapshot.json", nil)
		r.SetBasicAuth("operator", password)
		response, err := server.Client().Do(r)
		if err != nil {
			fmt.Println(err)
			return
		}
		var snapshot observer.Snapshot
		if response.StatusCode == http.StatusOK {
			err = json.NewDecoder(response.Body).Decode(&snapshot)
		}
		response.Body.Close()
		fmt.Println(response.Status, err)
		for _, a := range snapshot.Actors {
			fmt.Printf("%s is an %s for a %s\n", a.Path, a.Kind, a.Message)
		}
	}
	greeter.Stop(ctx)
	// Output:
	// 401 Unauthorized <nil>
	// 200 OK <nil>
	// greeter is an actor for a string
}

// guard lets only those in who know the password.
func guard(password string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(given), []byte(password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="operations"`)
			http.Error(w, "Who are you?", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func greet(ctx context.Context, in *actor.Inbox[string]) error {
	return in.Serve(ctx, func(_ context.Context, name string) error {
		fmt.Println("hello,", name)
		return nil
	})
}
