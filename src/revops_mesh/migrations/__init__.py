"""Migrations of the installation's databases, inside the package so that an installed wheel can migrate."""
