# The CDN. Its VCL is ../fastly/skep.vcl, which says what it does and why.

locals {
  bucket_host = aws_s3_bucket.store["public"].bucket_regional_domain_name
}

resource "fastly_service_vcl" "repository" {
  name = var.name

  domain {
    name = var.repository_domain
  }

  backend {
    name                  = "bucket"
    address               = local.bucket_host
    port                  = 443
    use_ssl               = true
    ssl_check_cert        = true
    ssl_cert_hostname     = local.bucket_host
    ssl_sni_hostname      = local.bucket_host
    override_host         = local.bucket_host
    shield                = var.shield
    connect_timeout       = 3000
    first_byte_timeout    = 10000
    between_bytes_timeout = 10000
  }

  # Without a shield: nothing that it answers is kept.
  backend {
    name                  = "skep_edge"
    address               = var.edge_domain
    port                  = 443
    use_ssl               = true
    ssl_check_cert        = true
    ssl_cert_hostname     = var.edge_domain
    ssl_sni_hostname      = var.edge_domain
    override_host         = var.edge_domain
    connect_timeout       = 3000
    first_byte_timeout    = 15000
    between_bytes_timeout = 10000
    request_condition     = "private repositories"
  }

  # A token does not travel in the clear.
  request_setting {
    name      = "TLS alone"
    force_ssl = true
  }

  # Also keeps this backend from being the one that public files come from.
  condition {
    name      = "private repositories"
    type      = "REQUEST"
    statement = "req.url ~ \"^/repos/\""
  }

  vcl {
    name    = "skep"
    content = file("${path.module}/../fastly/skep.vcl")
    main    = true
  }

  # Who may see this service may see it, as Terraform cannot fill one that is write-only: its key reads public files.
  dictionary {
    name = "skep_bucket"
  }

  # Purged by surrogate key alone, and hard.
  stale_if_error     = true
  stale_if_error_ttl = 604800
  http3              = true
}

resource "fastly_service_dictionary_items" "bucket" {
  for_each      = { for one in fastly_service_vcl.repository.dictionary : one.name => one if one.name == "skep_bucket" }
  service_id    = fastly_service_vcl.repository.id
  dictionary_id = each.value.dictionary_id
  manage_items  = true

  items = {
    host              = local.bucket_host
    region            = var.region
    access_key_id     = aws_iam_access_key.service["cdn"].id
    secret_access_key = aws_iam_access_key.service["cdn"].secret
  }
}
