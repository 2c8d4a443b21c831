package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"tinyactor/observer"
)

const (
	// patience is how long a server may take for one snapshot. It is more than one
	// of 10,000 actors takes on a machine that is busy.
	patience = 10 * time.Second

	// most is the longest snapshot that is read: some 100,000 actors.
	most = 256 << 20

	example = "http://127.0.0.1:8080/debug/actors"
)

// source is where snapshots come from. Its errors are sentences that say what to do.
type source struct {
	base   string // the address without credentials and without the slash at its end
	get    string // that of the snapshot
	host   string
	header http.Header
	client http.Client
}

// newSource reads the address as people write it: without http://, with or
// without a slash at the end, or as it stands in a browser's address bar.
func newSource(address string, header http.Header) (*source, error) {
	full := address
	if !strings.Contains(full, "://") {
		full = "http://" + full
	}
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		// The text of err would repeat a password.
		return nil, errors.New("the address is none of HTTP: write it like " + example)
	}
	s := &source{host: u.Host, header: http.Header{}, client: http.Client{Timeout: patience, CheckRedirect: sameServer}}
	if u.User != nil {
		password, _ := u.User.Password()
		r := http.Request{Header: s.header}
		r.SetBasicAuth(u.User.Username(), password)
	}
	maps.Copy(s.header, header)
	u.User, u.Fragment, u.RawFragment, u.RawPath = nil, "", "", ""
	u.Path = strings.TrimRight(strings.TrimSuffix(u.Path, "/snapshot.json"), "/")
	query := u.RawQuery // it may hold a token, so it is not for the screen
	u.RawQuery, u.ForceQuery = "", false
	s.base = u.String()
	u = u.JoinPath("snapshot.json")
	u.RawQuery = query
	s.get = u.String()
	return s, nil
}

// sameServer has redirections followed that stay on the server, or lead from HTTP
// to HTTPS: headers are not for others. Any other answer is given to refused.
func sameServer(next *http.Request, via []*http.Request) error {
	was := via[0].URL
	if len(via) == 10 || next.URL.Hostname() != was.Hostname() ||
		next.URL.Host != was.Host && next.URL.Scheme != "https" || next.URL.Scheme == "http" && was.Scheme == "https" {
		return http.ErrUseLastResponse
	}
	return nil
}

// snapshot gets one and decodes it.
func (s *source) snapshot(ctx context.Context) (*observer.Snapshot, error) {
	data, err := s.fetch(ctx)
	if err != nil {
		return nil, err
	}
	snap := new(observer.Snapshot)
	err = json.Unmarshal(data, snap)
	if err == nil && snap.Schema == observer.Schema {
		return snap, nil
	}
	schema, err := s.schema(data)
	if err != nil {
		return nil, err
	}
	if schema == observer.Schema {
		return nil, s.notSnapshot("it has other types")
	}
	return nil, fmt.Errorf("the program sends snapshots of schema %d, and this command knows schema %d: "+
		"build the command from the version of the library that the program uses; -json prints what comes", schema, observer.Schema)
}

// schema returns what data says about itself.
func (s *source) schema(data []byte) (int, error) {
	var head struct {
		Schema *int `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return 0, s.notSnapshot("not JSON")
	}
	if head.Schema == nil {
		return 0, s.notSnapshot("JSON without a schema")
	}
	return *head.Schema, nil
}

// fetch gets what the server has for a snapshot.
func (s *source) fetch(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.get, nil)
	if err != nil {
		return nil, err
	}
	req.Header = s.header.Clone()
	req.Header.Set("Accept", "application/json")
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, s.unreachable(err)
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(resp.Body, most+1))
	switch {
	case resp.StatusCode != http.StatusOK:
		return nil, s.refused(resp, data)
	case err != nil:
		return nil, s.unreachable(err)
	case len(data) > most:
		return nil, fmt.Errorf("%s sends more than %d MB: that is no snapshot that this command can show", s.base, most>>20)
	case strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"):
		return nil, s.notSnapshot("a page")
	}
	return data, nil
}

// unreachable is for an exchange that was not finished.
func (s *source) unreachable(err error) error {
	var (
		outer *url.Error
		name  *net.DNSError
		cert  *tls.CertificateVerificationError
		plain tls.RecordHeaderError
	)
	if errors.As(err, &outer) {
		err = outer.Err // without the address, which the sentences have
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return errors.New("interrupted before an answer came")
	case errors.As(err, &name):
		return fmt.Errorf("there is no host %s: correct the address", name.Name)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nobody listens at %s: start the program, or correct the address", s.host)
	case errors.As(err, &timeout) && timeout.Timeout():
		return fmt.Errorf("%s has not answered within %v: see whether the program hangs, or correct the address", s.host, s.client.Timeout)
	case errors.As(err, &cert):
		return fmt.Errorf("the certificate of %s is not trusted (%w): name the file with its authority's certificate in SSL_CERT_FILE", s.host, cert.Err)
	case errors.As(err, &plain), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return fmt.Errorf("%s does not speak TLS: write http:// instead of https://", s.host)
	}
	return fmt.Errorf("%s does not answer (%w): start the program, or correct the address", s.host, err)
}

// refused is for an answer that is not 200.
func (s *source) refused(resp *http.Response, body []byte) error {
	status := resp.Status
	switch code := resp.StatusCode; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		if s.header.Get("Authorization") != "" {
			return fmt.Errorf("%s refuses these credentials (%s): check the user and password in the address, or the -H 'Authorization: …'", s.base, status)
		}
		return fmt.Errorf("%s wants to know who asks (%s): write user:password@ before the host in the address, or give -H 'Authorization: …'", s.base, status)
	case code == http.StatusNotFound:
		return fmt.Errorf("there is no observer at %s (%s): give the address under which the program mounts it, such as %s", s.base, status, example)
	case code == http.StatusBadRequest && strings.Contains(string(body), "HTTPS"):
		return fmt.Errorf("%s speaks TLS: write https:// instead of http://", s.host)
	case code >= 300 && code < 400:
		return fmt.Errorf("%s leads to %s (%s): give that address if the program is there", s.base, resp.Header.Get("Location"), status)
	case code >= 500 || code == http.StatusTooManyRequests:
		return fmt.Errorf("%s has no snapshot now (%s): try again later, or look into the program's log", s.base, status)
	}
	return fmt.Errorf("%s answers %s: give the address under which the program mounts its observer, such as %s", s.base, status, example)
}

func (s *source) notSnapshot(what string) error {
	return fmt.Errorf("what %s/snapshot.json sends is not a snapshot (%s): "+
		"give the address under which the program mounts its observer, such as %s", s.base, what, example)
}
