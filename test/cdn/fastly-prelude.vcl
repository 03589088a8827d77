# What Terraform brings to ../../deploy/fastly/skep.vcl, for tests.
table skep_bucket {
  "host": "acme-hex.s3.eu-central-1.amazonaws.com",
  "region": "eu-central-1",
  "access_key_id": "AKIAEXAMPLE",
  "secret_access_key": "secret/of+tests",
}
backend F_bucket { .host = "acme-hex.s3.eu-central-1.amazonaws.com"; .port = "443"; .ssl = true; }
backend F_skep_edge { .host = "edge.acme.example"; .port = "443"; .ssl = true; }
