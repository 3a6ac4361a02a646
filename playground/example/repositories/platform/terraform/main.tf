# What the clouds would hold. terraform_data alone: it needs no provider, no account and no download, and still has a plan and a state.
terraform {
  required_version = ">= 1.4"
}

variable "environment" {
  type        = string
  description = "Which environment's network and buckets."
}

variable "backup_days" {
  type        = number
  default     = 14
  description = "For how long backups of the database of orders are kept."
}

resource "terraform_data" "network" {
  input = {
    name = "shop-${var.environment}"
    cidr = "10.20.0.0/16"
  }
}

resource "terraform_data" "orders_backups" {
  input = {
    bucket    = "shop-${var.environment}-orders-backups"
    network   = terraform_data.network.output.name
    keep_days = var.backup_days
  }
}

output "orders_backup_bucket" {
  value = terraform_data.orders_backups.output.bucket
}
