// The theme, before anything is painted: a classic script, so that the page
// does not flash. app.js has the button that changes it.
'use strict';
try {
  const theme = localStorage.getItem('theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage can be forbidden; then the system's theme it is.
}
