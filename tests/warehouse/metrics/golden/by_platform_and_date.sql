-- house: what the compiler writes, word for word
SELECT
  m.platform AS platform,
  m.date_day AS date,
  m.clicks AS clicks
FROM (
  SELECT
    f.platform AS platform,
    f.date_day AS date_day,
    SUM(f.clicks) AS clicks
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
  GROUP BY
    f.platform,
    f.date_day
) AS m
ORDER BY
  clicks DESC,
  platform ASC,
  date ASC,
  m.platform ASC,
  m.date_day ASC
LIMIT 10
-- organization = 'org'
-- since = datetime.date(2024, 3, 1)
-- until = datetime.date(2024, 3, 31)
