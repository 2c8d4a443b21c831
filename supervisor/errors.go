package supervisor

import "errors"

// What a body says with the error that it returns.
var (
	// ErrIgnore says that there is nothing to run: OTP's ignore. It counts only
	// if the body returns it before it has called Started. The process is not
	// started again, whatever its Restart says; the child stays in the list
	// without a process, unless it is temporary or dynamic: then it is removed.
	ErrIgnore = errors.New("supervisor: ignore")

	// ErrShutdown, wrapped or not, says that the body ended in good order, as
	// if it had returned nil; the text around it says why. A supervisor that
	// ends by itself ends with an error that matches it, and so it restarts in
	// its own supervisor only if it is permanent there.
	ErrShutdown = errors.New("supervisor: shutdown")
)

// What a call of a supervisor says.
var (
	// ErrShuttingDown comes when the supervisor is being stopped, has ended or
	// does not run yet, and to a child that calls its own supervisor while it
	// is being stopped itself: return.
	ErrShuttingDown = errors.New("supervisor: shutting down")

	// ErrNotFound comes when the supervisor has no such child: it was never
	// added, or it was temporary and has ended, or it was removed.
	ErrNotFound = errors.New("supervisor: no such child")

	// ErrAlreadyStarted comes from Add when a child of that name is running.
	ErrAlreadyStarted = errors.New("supervisor: child already started")

	// ErrAlreadyPresent comes from Add when there is a child of that name and it
	// is not running: restart it, or remove it first.
	ErrAlreadyPresent = errors.New("supervisor: child already present")

	// ErrRunning comes from Restart and Remove when the child has a process:
	// terminate it first.
	ErrRunning = errors.New("supervisor: child is running")

	// ErrRestarting comes from Restart, Remove and Replace when the child waits
	// for its restart or is being replaced: wait, or terminate it first.
	ErrRestarting = errors.New("supervisor: child is restarting")

	// ErrMaxChildren comes from Dynamic.Add when there are Max children, those
	// that wait for a restart included: try later.
	ErrMaxChildren = errors.New("supervisor: too many children")
)

// Why a child did not start, or a supervisor ended.
var (
	// ErrStartTimeout comes when a body has not called Started within
	// AwaitStart. It counts as a failed start.
	ErrStartTimeout = errors.New("supervisor: not started in time")

	// ErrNotStarted comes when a body has returned nil before it called Started
	// though its child has AwaitStart: that counts as a failed start. It also
	// comes from Add and Restart when the child was terminated before it was up.
	ErrNotStarted = errors.New("supervisor: ended before it was started")

	// ErrLimitExceeded comes together with ErrShutdown from a supervisor that
	// gave up, because one more restart would have been more than its Limit
	// allows. The error also matches why the last child ended.
	ErrLimitExceeded = errors.New("supervisor: restart limit exceeded")
)
