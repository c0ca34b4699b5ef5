// swift-tools-version: 6.2
import PackageDescription

/// What every Swift target is held to.
let strict: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .treatAllWarnings(as: .error),
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

let package = Package(
  name: "audispatch",
  products: [
    .executable(name: "audispatchd", targets: ["audispatchd"]),
    .executable(name: "audispatchctl", targets: ["audispatchctl"]),
    .executable(name: "audispatch-kernel", targets: ["audispatch-kernel"]),
    .executable(name: "audispatch-receive", targets: ["audispatch-receive"]),
    .executable(name: "audispatch-print", targets: ["audispatch-print"]),
    .executable(name: "audispatch-syslog", targets: ["audispatch-syslog"]),
    .executable(name: "audispatch-log", targets: ["audispatch-log"]),
    .executable(name: "audispatch-socket", targets: ["audispatch-socket"]),
    .executable(name: "audispatch-integrity", targets: ["audispatch-integrity"]),
    .executable(name: "audispatch-json", targets: ["audispatch-json"]),
    .executable(name: "audispatch-remote", targets: ["audispatch-remote"]),
    .executable(name: "audispatch-elastic", targets: ["audispatch-elastic"]),
    .executable(name: "audispatch-otlp", targets: ["audispatch-otlp"]),
    .executable(name: "audispatch-nats", targets: ["audispatch-nats"]),
    .executable(name: "audispatch-kafka", targets: ["audispatch-kafka"]),
    .library(
      name: "AudispatchPlugin",
      targets: ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"]),
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
    .target(
      name: "CHTTPClient", dependencies: ["CCurl"], linkerSettings: [.linkedLibrary("z")]),
    .target(name: "CNATSPublisher", dependencies: ["CNATS"]),
    .target(name: "CSecureChannel", dependencies: ["COpenSSL"]),
    .target(name: "CAudispatch", cSettings: [.define("_GNU_SOURCE")]),
    .target(name: "Linux", dependencies: ["CAudispatch"], swiftSettings: strict),
    .target(name: "AuditRecord", dependencies: ["CAudit"], swiftSettings: strict),
    .target(
      name: "Enrichment", dependencies: ["AuditRecord", "CAudit", "CAuparse"],
      swiftSettings: strict),
    .target(
      name: "Journal",
      dependencies: [
        "AuditRecord", "Linux", .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: strict),
    .target(name: "Configuration", dependencies: ["Linux"], swiftSettings: strict),
    .target(name: "RemoteProtocol", swiftSettings: strict),
    .target(
      name: "SecureChannel", dependencies: ["CSecureChannel", "Linux"], swiftSettings: strict),
    .target(name: "Keeper", dependencies: ["Linux"], swiftSettings: strict),
    // Not "Dispatch": Foundation would take it for the module of libdispatch.
    .target(
      name: "AuditDispatch",
      dependencies: [
        "AuditRecord", "CAudispatch", "Configuration", "Journal", "Keeper", "Linux",
        "RemoteProtocol", .product(name: "DequeModule", package: "swift-collections"),
      ],
      path: "Sources/Dispatch", swiftSettings: strict),
    .target(
      name: "AudispatchPlugin",
      dependencies: ["AuditRecord", "CAudit", "CAuparse", "Configuration", "Linux"],
      swiftSettings: strict),
    .target(
      name: "ProcessContext",
      dependencies: ["AudispatchPlugin", "AuditRecord", "COpenSSL", "Linux"],
      swiftSettings: strict),
    .target(
      name: "EventDocument",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAudit", "Configuration", "Linux", "ProcessContext",
      ],
      swiftSettings: strict),
    .target(
      name: "LaurelConfiguration", dependencies: ["Configuration", "ProcessContext"],
      swiftSettings: strict),
    .target(
      name: "AuditbeatConfiguration", dependencies: ["CYAML", "Configuration", "Linux"],
      swiftSettings: strict),
    .target(name: "HTTPClient", dependencies: ["CHTTPClient", "Linux"], swiftSettings: strict),
    .target(name: "BulkIndexing", swiftSettings: strict),
    .target(
      name: "Shipping",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "BulkIndexing", "Configuration", "EventDocument",
        "Linux",
      ],
      swiftSettings: strict),
    .target(
      name: "HTTPShipping",
      dependencies: ["AudispatchPlugin", "Configuration", "HTTPClient", "Linux", "Shipping"],
      swiftSettings: strict),
    .executableTarget(
      name: "audispatchd", dependencies: ["AuditDispatch", "Configuration", "Keeper", "Linux"],
      swiftSettings: strict),
    .executableTarget(
      name: "audispatchctl",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Journal", "Linux",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),
    .executableTarget(
      name: "audispatch-kernel",
      dependencies: ["AuditRecord", "Configuration", "Enrichment", "Linux"],
      swiftSettings: strict),
    .executableTarget(
      name: "audispatch-receive",
      dependencies: ["Configuration", "Linux", "RemoteProtocol", "SecureChannel"],
      swiftSettings: strict),
    .executableTarget(
      name: "audispatch-print",
      dependencies: ["AudispatchPlugin", "Configuration", "Linux"],
      path: "Plugins/Print", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-syslog",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "SecureChannel",
      ],
      path: "Plugins/Syslog", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-log",
      dependencies: ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"],
      path: "Plugins/Log", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-socket",
      dependencies: ["AudispatchPlugin", "AuditRecord", "Configuration", "Linux"],
      path: "Plugins/Socket", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-integrity",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAudit", "CFileWatch", "COpenSSL", "CSQLite",
        "Configuration", "Linux",
      ],
      path: "Plugins/Integrity", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-json",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "EventDocument", "LaurelConfiguration",
        "Linux", "ProcessContext",
      ],
      path: "Plugins/Json", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-elastic",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "AuditbeatConfiguration", "BulkIndexing",
        "Configuration", "EventDocument", "HTTPClient", "HTTPShipping", "Linux", "Shipping",
      ],
      path: "Plugins/Elastic", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-otlp",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "BulkIndexing", "Configuration", "EventDocument",
        "HTTPClient", "HTTPShipping", "Linux", "Shipping",
      ],
      path: "Plugins/Otlp", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-nats",
      dependencies: [
        "AudispatchPlugin", "CNATSPublisher", "Configuration", "Linux", "Shipping",
      ],
      path: "Plugins/Nats", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-kafka",
      dependencies: [
        "AudispatchPlugin", "BulkIndexing", "CKafka", "Configuration", "EventDocument", "Linux",
        "Shipping",
      ],
      path: "Plugins/Kafka", swiftSettings: strict),
    .executableTarget(
      name: "audispatch-remote",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "RemoteProtocol",
        "SecureChannel",
      ],
      path: "Plugins/Remote", swiftSettings: strict),
    .executableTarget(
      name: "bench-fields", dependencies: ["AudispatchPlugin"], path: "Tests/Load/fields",
      swiftSettings: strict),
    .executableTarget(
      name: "conformance", dependencies: ["AudispatchPlugin", "AuditRecord", "EventDocument"],
      path: "Tests/Conformance", swiftSettings: strict),
    .target(
      name: "ScriptedAccounts", path: "Tests/ScriptedAccounts", cSettings: [.define("_GNU_SOURCE")]),
    .testTarget(name: "LinuxTests", dependencies: ["Linux"], swiftSettings: strict),
    .testTarget(
      name: "AuditRecordTests", dependencies: ["AuditRecord", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "EnrichmentTests",
      dependencies: [
        "AuditRecord", "Configuration", "Enrichment", "Linux", "ScriptedAccounts",
        "audispatch-kernel",
      ],
      exclude: ["Live"], resources: [.copy("Corpus")], swiftSettings: strict),
    .testTarget(
      name: "JournalTests",
      dependencies: [
        "AuditRecord", "Journal", "Linux",
        .product(name: "DequeModule", package: "swift-collections"),
      ],
      swiftSettings: strict),
    .testTarget(
      name: "KeeperTests", dependencies: ["Keeper", "Linux", "TestSupport"], swiftSettings: strict),
    .testTarget(
      name: "ConfigurationTests", dependencies: ["Configuration", "Linux", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: strict),
    .testTarget(
      name: "DispatchTests",
      dependencies: ["AuditDispatch", "AuditRecord", "Configuration", "Journal", "Linux"],
      swiftSettings: strict),
    .testTarget(
      name: "AudispatchPluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAuparse", "Configuration", "Linux", "TestSupport",
        "audispatch-print",
      ],
      exclude: ["Cases", "Golden"], swiftSettings: strict),
    .target(
      name: "TestSupport", dependencies: ["Linux"], path: "Tests/TestSupport",
      swiftSettings: strict),
    .target(
      name: "PluginHarness",
      dependencies: ["AudispatchPlugin", "Configuration", "Linux", "TestSupport"],
      path: "Tests/PluginHarness", exclude: ["Programs"], swiftSettings: strict),
    .testTarget(
      name: "EventDocumentTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "CAudit", "EventDocument", "ProcessContext",
        "TestSupport",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ProcessContextTests",
      dependencies: ["AudispatchPlugin", "AuditRecord", "ProcessContext"],
      swiftSettings: strict),
    .testTarget(
      name: "LaurelConfigurationTests",
      dependencies: ["Configuration", "LaurelConfiguration", "ProcessContext"],
      swiftSettings: strict),
    .testTarget(
      name: "IntegrityTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "PluginHarness",
        "audispatch-integrity",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "LogPluginTests",
      dependencies: [
        "AudispatchPlugin", "Configuration", "Linux", "PluginHarness", "TestSupport",
        "audispatch-log",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "JSONPluginTests",
      dependencies: ["AudispatchPlugin", "Linux", "PluginHarness", "audispatch-json"],
      swiftSettings: strict),
    .testTarget(
      name: "SocketPluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "PluginHarness",
        "TestSupport", "audispatch-socket",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "ControlToolTests", dependencies: ["Journal", "Linux", "TestSupport", "audispatchctl"],
      exclude: ["Golden"], swiftSettings: strict),
    .testTarget(
      name: "AuditbeatConfigurationTests",
      dependencies: ["AuditbeatConfiguration", "Configuration"],
      swiftSettings: strict),
    .testTarget(name: "BulkIndexingTests", dependencies: ["BulkIndexing"], swiftSettings: strict),
    .testTarget(
      name: "ElasticPluginTests",
      dependencies: [
        "AudispatchPlugin", "BulkIndexing", "Configuration", "HTTPClient", "HTTPShipping", "Linux",
        "PluginHarness", "Shipping", "audispatch-elastic",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "KafkaPluginTests",
      dependencies: [
        "BulkIndexing", "Configuration", "Linux", "PluginHarness", "Shipping", "TestSupport",
        "audispatch-kafka",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "NatsPluginTests",
      dependencies: [
        "Configuration", "Linux", "PluginHarness", "Shipping", "TestSupport", "audispatch-nats",
      ],
      exclude: ["Programs"], swiftSettings: strict),
    .testTarget(
      name: "OtlpPluginTests",
      dependencies: [
        "Configuration", "HTTPClient", "Linux", "PluginHarness", "TestSupport", "audispatch-otlp",
      ],
      exclude: ["Golden"], swiftSettings: strict),
    .testTarget(
      name: "HTTPClientTests", dependencies: ["HTTPClient", "Linux", "PluginHarness"],
      swiftSettings: strict),
    .testTarget(
      name: "RemotePluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "PluginHarness",
        "RemoteProtocol", "SecureChannel", "TestSupport", "audispatch-remote",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "RemoteProtocolTests", dependencies: ["RemoteProtocol", "TestSupport"],
      swiftSettings: strict),
    .testTarget(
      name: "SyslogPluginTests",
      dependencies: [
        "AudispatchPlugin", "AuditRecord", "Configuration", "Linux", "SecureChannel",
        "TestSupport", "audispatch-syslog",
      ],
      swiftSettings: strict),
    .testTarget(
      name: "SystemTests", dependencies: ["Linux", "PluginHarness", "TestSupport"],
      resources: [.copy("Fixtures"), .copy("Programs")], swiftSettings: strict),
  ]
)
