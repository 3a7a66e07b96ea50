// Small elements that make pages quicker. Every page works without them.
import "./theme-switch.js";
import "./relative-time.js";
import "./toast-list.js";
import "./copy-button.js";
import "./command-palette.js";
import "./keyboard.js";
import "./forms.js";
import "./htmx.js";
import "./current-tab.js";
