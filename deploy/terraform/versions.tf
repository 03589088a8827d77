terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.40, < 7.0"
    }
    fastly = {
      source  = "fastly/fastly"
      version = ">= 5.7, < 8.0"
    }
  }
}

# Credentials come from the environment: AWS_PROFILE, FASTLY_API_KEY.
provider "aws" {
  region = var.region
}

provider "fastly" {}
