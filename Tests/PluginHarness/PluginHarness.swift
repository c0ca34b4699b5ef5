// What plugins are tried with is in TestSupport; a step on the way there.
@_exported import TestSupport
