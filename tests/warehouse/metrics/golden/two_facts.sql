-- house: what the compiler writes, word for word
SELECT
  m.platform AS platform,
  m.date_day AS date,
  m.conversions AS conversions,
  m.action_conversions AS action_conversions
FROM (
  SELECT
    u.platform AS platform,
    u.date_day AS date_day,
    SUM(u.conversions) AS conversions,
    SUM(u.action_conversions) AS action_conversions
  FROM (
    SELECT
      f.platform AS platform,
      dateTrunc('MONTH', f.date_day) AS date_day,
      sumOrNull(f.conversions) AS conversions,
      NULL AS action_conversions
    FROM marts.fct_ad_performance_daily AS f
    WHERE
      f.organization_id = {organization: String}
      AND f.date_day BETWEEN {since: Date} AND {until: Date}
    GROUP BY
      f.platform,
      dateTrunc('MONTH', f.date_day)
    UNION ALL
    SELECT
      f.platform AS platform,
      dateTrunc('MONTH', f.date_day) AS date_day,
      NULL AS conversions,
      sumOrNull(f.conversions) AS action_conversions
    FROM marts.fct_conversions_daily AS f
    WHERE
      f.organization_id = {organization: String}
      AND f.date_day BETWEEN {since: Date} AND {until: Date}
      AND toString(f.attribution_window) = ''
      AND toString(f.is_primary) = 'true'
    GROUP BY
      f.platform,
      dateTrunc('MONTH', f.date_day)
  ) AS u
  GROUP BY
    u.platform,
    u.date_day
) AS m
ORDER BY
  platform ASC,
  date ASC,
  m.platform ASC,
  m.date_day ASC
LIMIT 100001
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

-- check:
SELECT
  SUM(c.rows) AS found,
  0 AS days,
  groupUniqArray(c.currency_code) AS currencies
FROM (
  SELECT
    f.currency_code,
    COUNT(*) AS rows
  FROM marts.fct_conversions_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
    AND toString(f.attribution_window) = ''
    AND toString(f.is_primary) = 'true'
  GROUP BY
    f.currency_code
) AS c
