variable "name" {
  description = "What everything is named after, such as acme-hex; the buckets are NAME and NAME-private."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,40}[a-z0-9]$", var.name))
    error_message = "The name is part of bucket names: 3 to 42 of a-z, 0-9 and -."
  }
}

variable "region" {
  description = "AWS region of the buckets."
  type        = string
}

variable "repository_domain" {
  description = "Where clients fetch from, such as repo.acme.example: SKEP_REPOSITORY_URL without its https://."
  type        = string
}

variable "edge_domain" {
  description = "Where Fastly reaches skep edge, over TLS: such as edge.acme.example."
  type        = string
}

variable "shield" {
  description = "The Fastly location that alone asks the bucket; choose the one next to the region."
  type        = string
  default     = "frankfurt-de"
}

variable "noncurrent_days" {
  description = "How long what was overwritten or deleted can be brought back."
  type        = number
  default     = 30
}
