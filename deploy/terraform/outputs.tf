output "buckets" {
  description = "For SKEP_PUBLIC_STORE and SKEP_PRIVATE_STORE."
  value       = { for name, bucket in aws_s3_bucket.store : name => "s3://${bucket.bucket}" }
}

output "fastly_service_id" {
  description = "SKEP_FASTLY_SERVICE_ID."
  value       = fastly_service_vcl.repository.id
}

output "access_keys" {
  description = "Of the stores, for api, generator and edge: id and secret."
  sensitive   = true
  value = {
    for name in ["api", "generator", "edge"] : name => {
      id     = aws_iam_access_key.service[name].id
      secret = aws_iam_access_key.service[name].secret
    }
  }
}
