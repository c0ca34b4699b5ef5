@testable import audispatch_integrity

/// Linux has one, too.
typealias FileIdentity = audispatch_integrity.FileIdentity
