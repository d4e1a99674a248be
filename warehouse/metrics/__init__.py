"""The one door to numbers: metric definitions from dbt's semantic YAML, compiled into one bound, read-only SELECT."""
