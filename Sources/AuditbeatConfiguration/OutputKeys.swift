import Configuration

/// The keys of `output.elasticsearch`.
enum OutputKeys {
  typealias Take =
    @Sendable (
      inout OutputSection, FlatSetting, ImportedValues
    ) throws(Diagnostic) -> Void

  enum Meaning: Sendable {
    case take(Take)
    /// The same value counts for that keyword.
    case copy(String)
    /// It is done in another way here.
    case otherwise(String)
    /// It is not done here.
    case without(String)
  }

  static var names: [String] { (Array(keys.keys) + tables.keys).sorted() }

  static func meaning(of name: String) -> Meaning? {
    keys[name] ?? tables[String(name.prefix { $0 != "." })]
  }

  /// Those that have keys of anybody's choice in them.
  private static let tables: [String: Meaning] = [
    "headers": .take { output, setting, values throws(Diagnostic) in
      let value = try values.text(setting.item, "a header", setting.key)
      let hidden = ImportedValues.hidden(setting.key, setting.item)
      guard setting.key.text.lowercased() != "authorization" else {
        throw hidden.warning(
          "is a secret, and not copied", suggestion: "set api_key_file, token_file or user")
      }
      guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7f }) else {
        throw hidden.warning("a header of other than visible ASCII")
      }
      try output.set("header", "\(setting.key.text): \(value)", at: hidden)
    },
    "parameters": .without("nothing is added to a URL here"),
    "proxy_headers": .without("a proxy gets no headers of its own here"),
    "kerberos": .without("no Kerberos here"),
    "queue": .otherwise("the dispatcher has the queue: q_depth and overflow_action in plugins.d"),
    "non_indexable_policy": .otherwise("what no index takes goes to refused_file"),
  ]

  private static let keys: [String: Meaning] = [
    "enabled": .take { output, setting, values throws(Diagnostic) in
      output.isEnabled = try values.flag(setting.item, "enabled", setting.key)
      if !output.isEnabled { throw setting.key.warning("is off: nothing of it is imported") }
    },
    "hosts": .take { output, setting, values throws(Diagnostic) in
      for item in try values.list(setting.item, "hosts") {
        let text = try values.text(item, "hosts", setting.key)
        guard !text.contains("@") else {
          throw ImportedValues.hidden(setting.key, item).warning(
            "who we are does not belong into a URL, and is not copied",
            suggestion: "set server, user and password_file")
        }
        output.hosts.append(item)
      }
    },
    "protocol": .take { output, setting, values throws(Diagnostic) in
      output.scheme = try values.text(setting.item, "protocol", setting.key).lowercased()
    },
    "path": .take { output, setting, values throws(Diagnostic) in
      let path = try values.text(setting.item, "path", setting.key)
      output.path = path.hasPrefix("/") ? path : "/" + path
    },
    "username": .copy("user"),
    "password": secret("password_file", "/etc/audispatch/elastic.password"),
    "api_key": secret("api_key_file", "/etc/audispatch/elastic.key"),
    "index": name(
      "index", "an index for each day or version has no equal: a data stream rolls over"),
    "pipeline": name("pipeline", "one pipeline is for all events here"),
    "indices": .without(
      "all events go to one place here; an ingest pipeline can bring them elsewhere"),
    "pipelines": .without("one pipeline is for all events here"),
    "non_indexable_policy.dead_letter_index.index": .copy("refused_index"),
    "ssl.enabled": .otherwise("TLS is used where server begins with https"),
    "ssl.certificate_authorities": .take { output, setting, values throws(Diagnostic) in
      let items = try values.list(setting.item, "certificate_authorities")
      guard items.count < 2 else {
        throw setting.key.warning(
          "tls_ca is one file", suggestion: "put the certificates into one, and set tls_ca")
      }
      for item in items { try output.setFile("tls_ca", item, setting, values) }
    },
    "ssl.certificate": .take { output, setting, values throws(Diagnostic) in
      try output.setFile("tls_cert", setting.item, setting, values)
    },
    "ssl.key": .take { output, setting, values throws(Diagnostic) in
      try output.setFile("tls_key", setting.item, setting, values)
    },
    "ssl.key_passphrase": .without("a key has no passphrase here: write it without one, for root"),
    "ssl.key_passphrase_path": .without(
      "a key has no passphrase here: write it without one, for root"),
    "ssl.verification_mode": .take { _, setting, values throws(Diagnostic) in
      let mode = try values.text(setting.item, "verification_mode", setting.key)
      guard ["full", "strict"].contains(mode) else {
        throw setting.item.word.warning(
          "certificates and names are always checked here", suggestion: "set tls_ca")
      }
    },
    "ssl.supported_protocols": .without("versions of TLS are OpenSSL's matter (openssl.cnf)"),
    "ssl.cipher_suites": .without("ciphers are OpenSSL's matter (openssl.cnf)"),
    "ssl.curve_types": .without("curves are OpenSSL's matter (openssl.cnf)"),
    "ssl.renegotiation": .without("there is no renegotiation here"),
    "ssl.ca_sha256": .without("certificates are not pinned here; set tls_ca"),
    "ssl.ca_trusted_fingerprint": .without("certificates are not pinned here; set tls_ca"),
    "proxy_url": .take { output, setting, values throws(Diagnostic) in
      let url = try values.text(setting.item, "proxy_url", setting.key)
      guard !url.contains("@") else {
        throw ImportedValues.hidden(setting.key, setting.item).warning(
          "who we are does not belong into a URL, and is not copied")
      }
      try output.set("proxy", url, at: setting.item.word)
    },
    "proxy_disable": .otherwise("no proxy is used but the one of proxy"),
    "compression_level": .copy("compression"),
    "worker": workers, "workers": workers,
    "bulk_max_size": .take { output, setting, values throws(Diagnostic) in
      let count = try values.number(setting.item, "bulk_max_size", setting.key)
      guard count > 0 else {
        throw setting.item.word.warning(
          "a request has a bound here", suggestion: "see bulk_documents")
      }
      output.documents = (count, setting.item.word)
    },
    "backoff.init": time("retry_time"), "backoff.max": time("retry_time_max"),
    "timeout": time("answer_time"),
    "preset": .take { output, setting, values throws(Diagnostic) in
      let name = try values.text(setting.item, "preset", setting.key)
      guard name != "custom" else { return }
      guard let preset = presets[name] else {
        throw setting.item.word.warning(
          "no such preset is known", suggestion: Suggestion.near(name, among: presets.keys.sorted())
        )
      }
      output.preset = (preset.documents, preset.workers, setting.item.word)
    },
    "max_retries": .otherwise("nothing is given up here: what is put off is sent again"),
    "loadbalance": .otherwise("servers are asked in turn"),
    "idle_connection_timeout": .otherwise("makes no difference here"),
    "escape_html": .otherwise("makes no difference here"),
    "allow_older_versions": .otherwise("versions are not compared here"),
  ]

  private static let presets: [String: (documents: Int, workers: Int)] = [
    "balanced": (1600, 1), "throughput": (1600, 4), "scale": (1600, 1), "latency": (50, 1),
  ]

  private static let workers = Meaning.take { output, setting, values throws(Diagnostic) in
    let count = try values.number(setting.item, "worker", setting.key)
    guard count > 0 else { throw setting.item.word.error("worker is 1 or more") }
    output.workers = (count, setting.item.word)
  }

  private static func secret(_ keyword: String, _ file: String) -> Meaning {
    .take { output, setting, _ throws(Diagnostic) in
      let hidden = ImportedValues.hidden(setting.key, setting.item)
      try output.set(keyword, file, at: hidden)
      throw hidden.warning(
        "is a secret, and not copied",
        suggestion: "write it on the first line of \(file), which only root may read")
    }
  }

  private static func name(_ keyword: String, _ about: String) -> Meaning {
    .take { output, setting, values throws(Diagnostic) in
      let name = try values.text(setting.item, keyword, setting.key)
      guard !name.contains("%{") else { throw setting.item.word.warning(about) }
      try output.set(keyword, name, at: setting.item.word)
    }
  }

  private static func time(_ keyword: String) -> Meaning {
    .take { output, setting, values throws(Diagnostic) in
      try output.set(
        keyword, try values.seconds(setting.item, setting.key.text, setting.key),
        at: setting.item.word)
    }
  }
}

extension OutputSection {
  /// A file that has to be one: the text of a certificate may stand there as well.
  mutating func setFile(
    _ keyword: String, _ item: YAMLItem, _ setting: FlatSetting, _ values: ImportedValues
  ) throws(Diagnostic) {
    let path = try values.text(item, setting.key.text, setting.key)
    guard path.hasPrefix("/") else {
      throw ImportedValues.hidden(setting.key, item).warning(
        "no absolute path, and not copied", suggestion: "write it into a file, and set \(keyword)")
    }
    try set(keyword, path, at: item.word)
  }
}
