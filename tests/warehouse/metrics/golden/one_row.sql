-- house: what the compiler writes, word for word
SELECT
  m.impressions AS impressions,
  m.spend AS spend,
  toFloat64(m.clicks) / nullIf(toFloat64(m.impressions), 0) AS ctr,
  toDecimal128(m.spend, 12) / nullIf(m.clicks, 0) AS cpc,
  1000 * toDecimal128(m.spend, 12) / nullIf(m.impressions, 0) AS cpm,
  toFloat64(m.conversions_value) / nullIf(toFloat64(m.spend), 0) AS roas,
  m.summed_rows
FROM (
  SELECT
    SUM(f.impressions) AS impressions,
    SUM(f.spend) AS spend,
    SUM(f.clicks) AS clicks,
    SUM(f.conversions_value) AS conversions_value,
    COUNT(*) AS summed_rows
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
) AS m
-- organization = 'org'
-- since = datetime.date(2024, 3, 1)
-- until = datetime.date(2024, 3, 31)

-- check:
SELECT
  SUM(c.rows) AS found,
  0 AS days,
  groupUniqArray(c.currency_code) AS currencies,
  groupUniqArray((c.platform, c.vat_included)) AS mixed_vat
FROM (
  SELECT
    f.currency_code,
    f.platform,
    f.vat_included,
    COUNT(*) AS rows
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
  GROUP BY
    f.currency_code,
    f.platform,
    f.vat_included
) AS c
