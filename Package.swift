// swift-tools-version: 6.2
import PackageDescription

/// A plugin's program, named after its folder.
func plugin(_ folder: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: "audispatch-\(folder.lowercased())", dependencies: dependencies, path: "Plugins/\(folder)"
  )
}

let package = Package(
  name: "audispatch",
  products: [
    .library(
      name: "AudispatchPlugin",
      targets: ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"])
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-collections", exact: "1.6.0"),
  ],
  targets: [
    .systemLibrary(name: "CAudit", pkgConfig: "audit", providers: [.apt(["libaudit-dev"])]),
    .systemLibrary(name: "CAuparse", pkgConfig: "auparse", providers: [.apt(["libauparse-dev"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CKafka", pkgConfig: "rdkafka", providers: [.apt(["librdkafka-dev"])]),
    .systemLibrary(name: "CNATS", pkgConfig: "libnats", providers: [.apt(["libnats-dev"])]),
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "CFileWatch", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "CHTTPClient", dependencies: ["CCurl"], linkerSettings: [.linkedLibrary("z")]),
    .target(name: "CNATSPublisher", dependencies: ["CNATS"]),
    .target(name: "CSecureChannel", dependencies: ["COpenSSL"]),
    .target(name: "CAudispatch", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "Linux", dependencies: ["CAudispatch"]),
    .target(name: "AuditRecord", dependencies: ["CAudit"]),
    .target(name: "Enrichment", dependencies: ["AuditRecord", "CAudit", "CAuparse"]),
    .target(
      name: "Journal",
      dependencies: [
        "AuditRecord", "Linux", .product(name: "DequeModule", package: "swift-collections"),
      ]),
    .target(name: "Configuration", dependencies: ["Linux"]),
    .target(name: "RemoteProtocol"),
    .target(name: "SecureChannel", dependencies: ["CSecureChannel", "Linux"]),
    .target(name: "Keeper", dependencies: ["Linux"]),
    // Not "Dispatch": Foundation would take it for the module of libdispatch.
    .target(
      name: "AuditDispatch",
      dependencies: [
        "AuditRecord", "CAudispatch", "Configuration", "Journal", "Keeper", "Linux",
        "RemoteProtocol", .product(name: "DequeModule", package: "swift-collections"),
      ],
      path: "Sources/Dispatch"),
    .target(
      name: "AudispatchPlugin",
      dependencies: ["AuditRecord", "CAudit", "CAuparse", "Configuration", "Linux"]),
    .target(
      name: "ProcessContext",
      dependencies: ["AudispatchPlugin", "AuditRecord", "COpenSSL", "Linux"]),
    .target(
      name: "EventDocument",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAudit", "Configuration", "Linux", "ProcessContext",
      ]),
    .target(
      name: "SyslogSending",
      dependencies: ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "SecureChannel"]),
    .target(name: "LaurelConfiguration", dependencies: ["Configuration", "ProcessContext"]),
    .target(name: "AuditbeatConfiguration", dependencies: ["CYAML", "Configuration", "Linux"]),
    .target(name: "HTTPClient", dependencies: ["CHTTPClient", "Linux"]),
    .target(name: "BulkIndexing", dependencies: ["EventDocument"]),
    .target(
      name: "Shipping",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "BulkIndexing", "Configuration", "EventDocument",
        "Linux", "ProcessContext",
      ]),
    .target(
      name: "HTTPShipping",
      dependencies: ["AudispatchPlugin", "Configuration", "HTTPClient", "Linux", "Shipping"]),
    .executableTarget(
      name: "audispatchd", dependencies: ["AuditDispatch", "Configuration", "Keeper", "Linux"]),
    .executableTarget(
      name: "audispatchctl",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Journal", "Linux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .executableTarget(
      name: "audispatch-kernel",
      dependencies: ["AuditRecord", "Configuration", "Enrichment", "Linux"]),
    .executableTarget(
      name: "audispatch-receive",
      dependencies: ["Configuration", "Linux", "RemoteProtocol", "SecureChannel"]),
    plugin("Print", ["AudispatchPlugin", "Configuration", "Linux"]),
    plugin(
      "Syslog",
      [
        "AudispatchPlugin", "AuditRecord", "Configuration", "EventDocument", "Linux",
        "SyslogSending",
      ]),
    plugin("Log", ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"]),
    plugin("Socket", ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"]),
    plugin(
      "Integrity",
      [
        "AudispatchPlugin", "AuditRecord", "CAudit", "CFileWatch", "COpenSSL", "CSQLite",
        "Configuration", "EventDocument", "Linux", "ProcessContext", "SyslogSending",
      ]),
    plugin(
      "Json",
      [
        "AudispatchPlugin", "AuditRecord", "Configuration", "EventDocument", "LaurelConfiguration",
        "Linux", "ProcessContext", "Shipping",
      ]),
    plugin(
      "Elastic",
      [
        "AudispatchPlugin", "AuditRecord", "AuditbeatConfiguration", "BulkIndexing",
        "Configuration", "EventDocument", "HTTPClient", "HTTPShipping", "Linux",
        "ProcessContext", "Shipping",
      ]),
    plugin(
      "Otlp",
      [
        "AudispatchPlugin", "AuditRecord", "BulkIndexing", "Configuration", "EventDocument",
        "HTTPClient", "HTTPShipping", "Linux", "ProcessContext", "Shipping",
      ]),
    plugin("Nats", ["AudispatchPlugin", "CNATSPublisher", "Configuration", "Linux", "Shipping"]),
    plugin(
      "Kafka",
      [
        "AudispatchPlugin", "BulkIndexing", "CKafka", "Configuration", "EventDocument", "Linux",
        "Shipping",
      ]),
    plugin(
      "Remote",
      [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "RemoteProtocol",
        "SecureChannel",
      ]),
    .executableTarget(
      name: "bench-fields", dependencies: ["AudispatchPlugin"], path: "Tests/Load/fields"),
    .executableTarget(
      name: "conformance", dependencies: ["AudispatchPlugin", "AuditRecord", "EventDocument"],
      path: "Tests/Conformance"),
    .target(
      name: "ScriptedAccounts", path: "Tests/ScriptedAccounts", cSettings: [.define("_GNU_SOURCE")]),
    .executableTarget(
      name: "copied-process", dependencies: ["Linux"], path: "Tests/CopiedProcess"),
    .testTarget(
      name: "LinuxTests",
      dependencies: ["CAudispatch", "Linux", "TestSupport", "copied-process"]),
    .testTarget(name: "AuditRecordTests", dependencies: ["AuditRecord", "TestSupport"]),
    .testTarget(
      name: "EnrichmentTests",
      dependencies: [
        "AuditRecord", "Configuration", "Enrichment", "Linux", "ScriptedAccounts",
        "audispatch-kernel",
      ],
      exclude: ["Live"], resources: [.copy("Corpus")]),
    .testTarget(
      name: "JournalTests",
      dependencies: [
        "AuditRecord", "Journal", "Linux", "TestSupport",
        .product(name: "DequeModule", package: "swift-collections"),
      ]),
    .testTarget(name: "KeeperTests", dependencies: ["Keeper", "Linux", "TestSupport"]),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "Linux", "TestSupport"],
      exclude: ["Fixtures"]),
    .testTarget(
      name: "DispatchTests",
      dependencies: [
        "AuditDispatch", "AuditRecord", "Configuration", "Journal", "Linux", "TestSupport",
      ]),
    .testTarget(
      name: "AudispatchPluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAuparse", "Configuration", "Linux", "TestSupport",
        "audispatch-print",
      ],
      exclude: ["Cases", "Golden"]),
    .target(name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport"),
    .target(
      name: "PluginHarness",
      dependencies: ["AudispatchPlugin", "Configuration", "Linux", "TestSupport"],
      path: "Tests/PluginHarness", exclude: ["Programs"]),
    .testTarget(
      name: "EventDocumentTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAudit", "EventDocument", "Linux", "ProcessContext",
        "TestSupport",
      ],
      exclude: ["Golden"]),
    .testTarget(
      name: "ProcessContextTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Linux", "ProcessContext", "TestSupport",
      ]),
    .testTarget(
      name: "LaurelConfigurationTests",
      dependencies: ["Configuration", "LaurelConfiguration", "ProcessContext"]),
    .testTarget(
      name: "IntegrityTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "PluginHarness",
        "TestSupport", "audispatch-integrity",
      ]),
    .testTarget(
      name: "LogPluginTests",
      dependencies: [
        "AudispatchPlugin", "Configuration", "Linux", "PluginHarness", "TestSupport",
        "audispatch-log",
      ]),
    .testTarget(
      name: "JSONPluginTests",
      dependencies: [
        "AudispatchPlugin", "Linux", "PluginHarness", "TestSupport", "audispatch-json",
      ]),
    .testTarget(
      name: "SocketPluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "PluginHarness",
        "TestSupport", "audispatch-socket",
      ]),
    .testTarget(
      name: "ControlToolTests", dependencies: ["Journal", "Linux", "TestSupport", "audispatchctl"],
      exclude: ["Golden"]),
    .testTarget(
      name: "AuditbeatConfigurationTests",
      dependencies: ["AuditbeatConfiguration", "Configuration"]),
    .testTarget(name: "BulkIndexingTests", dependencies: ["BulkIndexing"]),
    .testTarget(
      name: "ElasticPluginTests",
      dependencies: [
        "AudispatchPlugin", "BulkIndexing", "Configuration", "HTTPClient", "HTTPShipping", "Linux",
        "PluginHarness", "Shipping", "TestSupport", "audispatch-elastic",
      ],
      exclude: ["Programs"]),
    .testTarget(
      name: "KafkaPluginTests",
      dependencies: [
        "BulkIndexing", "Configuration", "Linux", "PluginHarness", "Shipping", "TestSupport",
        "audispatch-kafka",
      ]),
    .testTarget(
      name: "NatsPluginTests",
      dependencies: [
        "Configuration", "Linux", "PluginHarness", "Shipping", "TestSupport", "audispatch-nats",
      ],
      exclude: ["Programs"]),
    .testTarget(
      name: "OtlpPluginTests",
      dependencies: [
        "BulkIndexing", "Configuration", "EventDocument", "HTTPClient", "Linux", "PluginHarness",
        "TestSupport", "audispatch-otlp",
      ],
      exclude: ["Golden"]),
    .testTarget(
      name: "HTTPClientTests",
      dependencies: ["HTTPClient", "Linux", "PluginHarness", "TestSupport"]),
    .testTarget(
      name: "RemotePluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "PluginHarness",
        "RemoteProtocol", "SecureChannel", "TestSupport", "audispatch-remote",
      ]),
    .testTarget(name: "RemoteProtocolTests", dependencies: ["RemoteProtocol", "TestSupport"]),
    .testTarget(
      name: "SyslogPluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "SecureChannel",
        "SyslogSending", "TestSupport", "audispatch-syslog",
      ]),
    .testTarget(
      name: "SystemTests",
      dependencies: ["Linux", "PluginHarness", "RemoteProtocol", "TestSupport"],
      resources: [.copy("Fixtures"), .copy("Programs")]),
  ]
)

/// Every Swift target is held to this.
for target in package.targets where target.type != .system {
  target.swiftSettings = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ]
}

/// Every program with our name is built by it.
for target in package.targets
where target.type == .executable && target.name.hasPrefix("audispatch") {
  package.products.append(.executable(name: target.name, targets: [target.name]))
}
