# One user for each that reads or writes, with what it needs and nothing else. s3:ListBucket makes S3 answer 404 for a
# missing object, and not 403.

locals {
  public_arn  = aws_s3_bucket.store["public"].arn
  private_arn = aws_s3_bucket.store["private"].arn

  policies = {
    api       = data.aws_iam_policy_document.api.json
    generator = data.aws_iam_policy_document.generator.json
    edge      = data.aws_iam_policy_document.edge.json
    cdn       = data.aws_iam_policy_document.cdn.json
  }
}

resource "aws_iam_user" "service" {
  for_each = local.policies
  name     = "${var.name}-${each.key}"
}

resource "aws_iam_user_policy" "service" {
  for_each = local.policies
  name     = "stores"
  user     = aws_iam_user.service[each.key].name
  policy   = each.value
}

# Their secrets are in Terraform's state: keep it encrypted, and where few can read it.
resource "aws_iam_access_key" "service" {
  for_each = local.policies
  user     = aws_iam_user.service[each.key].name
}

# Takes uploads in, and deletes those that nothing refers to. It reaches nothing that a client fetches.
data "aws_iam_policy_document" "api" {
  statement {
    sid       = "Blobs"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.private_arn}/blobs/*", "${local.private_arn}/skep-probe/*"]
  }

  statement {
    sid       = "MissingIsNotForbidden"
    actions   = ["s3:ListBucket"]
    resources = [local.private_arn]
  }
}

# Reads what was accepted, and alone writes what clients fetch. Of the private bucket it writes only the object with which
# it tries out at its start what the service can do.
data "aws_iam_policy_document" "generator" {
  statement {
    sid       = "Public"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.public_arn}/*"]
  }

  statement {
    sid       = "Blobs"
    actions   = ["s3:GetObject"]
    resources = ["${local.private_arn}/blobs/*"]
  }

  statement {
    sid       = "Probe"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    resources = ["${local.private_arn}/skep-probe/*"]
  }

  statement {
    sid       = "MissingIsNotForbidden"
    actions   = ["s3:ListBucket"]
    resources = [local.public_arn, local.private_arn]
  }
}

data "aws_iam_policy_document" "edge" {
  statement {
    sid       = "Public"
    actions   = ["s3:GetObject"]
    resources = ["${local.public_arn}/*"]
  }

  statement {
    sid       = "MissingIsNotForbidden"
    actions   = ["s3:ListBucket"]
    resources = [local.public_arn]
  }
}

# Whatever goes wrong in the CDN, it cannot show a private file.
data "aws_iam_policy_document" "cdn" {
  statement {
    sid       = "Public"
    actions   = ["s3:GetObject"]
    resources = ["${local.public_arn}/*"]
  }

  statement {
    sid       = "NoPrivateRepository"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = ["${local.public_arn}/repos/*"]
  }

  statement {
    sid       = "MissingIsNotForbidden"
    actions   = ["s3:ListBucket"]
    resources = [local.public_arn]
  }
}
