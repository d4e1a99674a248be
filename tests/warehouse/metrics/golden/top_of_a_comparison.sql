-- house: what the compiler writes, word for word
SELECT
  CASE WHEN m.row_type = 'total' THEN NULL ELSE m.date_day END AS date,
  CASE
    WHEN m.place > 3
    THEN 'other'
    ELSE CASE WHEN m.row_type = 'total' THEN NULL ELSE m.platform END
  END AS platform,
  CASE
    WHEN m.place > 3
    THEN 'other'
    ELSE CASE WHEN m.row_type = 'total' THEN NULL ELSE nullIf(m.campaign_id, '') END
  END AS campaign,
  CASE
    WHEN m.place > 3
    THEN 'other'
    ELSE CASE
      WHEN m.row_type = 'total'
      THEN NULL
      ELSE nullIf(n_campaign.campaign_name, '')
    END
  END AS campaign_name,
  m.spend AS spend,
  m.spend__previous AS spend_previous,
  (
    m.spend
  ) - (
    m.spend__previous
  ) AS spend_change,
  toFloat64((
    m.spend
  ) - (
    m.spend__previous
  )) / nullIf(toFloat64(m.spend__previous), 0) AS spend_change_ratio,
  toDecimal128(m.spend, 12) / nullIf(m.conversions, 0) AS cpa,
  toDecimal128(m.spend__previous, 12) / nullIf(m.conversions__previous, 0) AS cpa_previous,
  (
    toDecimal128(m.spend, 12) / nullIf(m.conversions, 0)
  ) - (
    toDecimal128(m.spend__previous, 12) / nullIf(m.conversions__previous, 0)
  ) AS cpa_change,
  toFloat64(
    (
      toDecimal128(m.spend, 12) / nullIf(m.conversions, 0)
    ) - (
      toDecimal128(m.spend__previous, 12) / nullIf(m.conversions__previous, 0)
    )
  ) / nullIf(
    toFloat64(toDecimal128(m.spend__previous, 12) / nullIf(m.conversions__previous, 0)),
    0
  ) AS cpa_change_ratio,
  CASE WHEN m.place > 3 THEN 'other' ELSE m.row_type END AS row_type
FROM (
  SELECT
    g.date_day AS date_day,
    g.platform AS platform,
    g.campaign_id AS campaign_id,
    g.campaign_platform AS campaign_platform,
    g.campaign_account_id AS campaign_account_id,
    g.place AS place,
    SUM(g.spend) AS spend,
    SUM(g.conversions) AS conversions,
    SUM(g.conversions_value) AS conversions_value,
    SUM(g.spend__previous) AS spend__previous,
    SUM(g.conversions__previous) AS conversions__previous,
    SUM(g.conversions_value__previous) AS conversions_value__previous,
    CASE WHEN GROUPING(g.date_day) = 1 THEN 'total' ELSE 'row' END AS row_type
  FROM (
    SELECT
      t.date_day AS date_day,
      CASE WHEN t.place <= 3 THEN t.platform ELSE '' END AS platform,
      CASE WHEN t.place <= 3 THEN t.campaign_id ELSE '' END AS campaign_id,
      CASE WHEN t.place <= 3 THEN t.campaign_platform ELSE '' END AS campaign_platform,
      CASE WHEN t.place <= 3 THEN t.campaign_account_id ELSE '' END AS campaign_account_id,
      LEAST(t.place, 3 + 1) AS place,
      SUM(t.spend) AS spend,
      SUM(t.conversions) AS conversions,
      SUM(t.conversions_value) AS conversions_value,
      SUM(t.spend__previous) AS spend__previous,
      SUM(t.conversions__previous) AS conversions__previous,
      SUM(t.conversions_value__previous) AS conversions_value__previous
    FROM (
      SELECT
        m.*,
        dense_rank() OVER (
          ORDER BY toFloat64(m.w_conversions_value) / nullIf(toFloat64(m.w_spend), 0) DESC, m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
        ) AS place
      FROM (
        SELECT
          m.*,
          SUM(m.spend) OVER (
            PARTITION BY m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
          ) AS w_spend,
          SUM(m.conversions) OVER (
            PARTITION BY m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
          ) AS w_conversions,
          SUM(m.conversions_value) OVER (
            PARTITION BY m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
          ) AS w_conversions_value,
          SUM(m.spend__previous) OVER (
            PARTITION BY m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
          ) AS w_spend__previous,
          SUM(m.conversions__previous) OVER (
            PARTITION BY m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
          ) AS w_conversions__previous,
          SUM(m.conversions_value__previous) OVER (
            PARTITION BY m.platform, m.campaign_id, m.campaign_platform, m.campaign_account_id
          ) AS w_conversions_value__previous
        FROM (
          SELECT
            m.*
          FROM (
            SELECT
              u.date_day AS date_day,
              u.platform AS platform,
              u.campaign_id AS campaign_id,
              u.campaign_platform AS campaign_platform,
              u.campaign_account_id AS campaign_account_id,
              SUM(u.spend) AS spend,
              SUM(u.conversions) AS conversions,
              SUM(u.conversions_value) AS conversions_value,
              SUM(u.spend__previous) AS spend__previous,
              SUM(u.conversions__previous) AS conversions__previous,
              SUM(u.conversions_value__previous) AS conversions_value__previous
            FROM (
              SELECT
                dateTrunc('WEEK', f.date_day) AS date_day,
                f.platform AS platform,
                f.campaign_id AS campaign_id,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.platform END AS campaign_platform,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.account_id END AS campaign_account_id,
                COALESCE(
                  toDecimal128(
                    ROUND(
                      SUM(
                        toDecimal256(f.spend, 6) * CASE
                          WHEN f.currency_code = {currency: String}
                          THEN toDecimal128(1, 18)
                          ELSE r.rate
                        END
                      ),
                      6
                    ),
                    6
                  ),
                  toDecimal128(0, 6)
                ) AS spend,
                SUM(f.conversions) AS conversions,
                COALESCE(
                  toDecimal128(
                    ROUND(
                      SUM(
                        toDecimal256(f.conversions_value, 6) * CASE
                          WHEN f.currency_code = {currency: String}
                          THEN toDecimal128(1, 18)
                          ELSE r.rate
                        END
                      ),
                      6
                    ),
                    6
                  ),
                  toDecimal128(0, 6)
                ) AS conversions_value,
                0 AS spend__previous,
                0 AS conversions__previous,
                0 AS conversions_value__previous
              FROM (
                SELECT
                  f.account_id,
                  f.campaign_id,
                  f.currency_code,
                  f.date_day,
                  f.platform,
                  SUM(f.spend) AS spend,
                  SUM(f.conversions) AS conversions,
                  SUM(f.conversions_value) AS conversions_value,
                  COUNT(*) AS day_rows
                FROM marts.fct_ad_performance_daily AS f
                WHERE
                  f.organization_id = {organization: String}
                  AND f.date_day BETWEEN {since: Date} AND {until: Date}
                  AND NOT (
                    f.account_id IN {p0: Array(String)}
                    OR (f.platform, f.account_id) IN (
                      SELECT
                        d.platform,
                        d.account_id
                      FROM marts.dim_account AS d
                      WHERE
                        d.organization_id = {organization: String}
                        AND d.account_name IN {p0: Array(String)}
                    )
                  )
                GROUP BY
                  f.account_id,
                  f.campaign_id,
                  f.currency_code,
                  f.date_day,
                  f.platform
              ) AS f
              LEFT JOIN (
                SELECT
                  x.from_currency,
                  x.date_day,
                  x.rate
                FROM marts.dim_fx_rate AS x
                WHERE
                  x.to_currency = {currency: String}
                  AND x.date_day BETWEEN {since: Date} AND {until: Date}
              ) AS r
                ON f.currency_code = r.from_currency AND f.date_day = r.date_day
              GROUP BY
                dateTrunc('WEEK', f.date_day),
                f.platform,
                f.campaign_id,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.platform END,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.account_id END
              UNION ALL
              SELECT
                dateTrunc('WEEK', addYears(f.date_day, 1)) AS date_day,
                f.platform AS platform,
                f.campaign_id AS campaign_id,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.platform END AS campaign_platform,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.account_id END AS campaign_account_id,
                0 AS spend,
                0 AS conversions,
                0 AS conversions_value,
                COALESCE(
                  toDecimal128(
                    ROUND(
                      SUM(
                        toDecimal256(f.spend, 6) * CASE
                          WHEN f.currency_code = {currency: String}
                          THEN toDecimal128(1, 18)
                          ELSE r.rate
                        END
                      ),
                      6
                    ),
                    6
                  ),
                  toDecimal128(0, 6)
                ) AS spend__previous,
                SUM(f.conversions) AS conversions__previous,
                COALESCE(
                  toDecimal128(
                    ROUND(
                      SUM(
                        toDecimal256(f.conversions_value, 6) * CASE
                          WHEN f.currency_code = {currency: String}
                          THEN toDecimal128(1, 18)
                          ELSE r.rate
                        END
                      ),
                      6
                    ),
                    6
                  ),
                  toDecimal128(0, 6)
                ) AS conversions_value__previous
              FROM (
                SELECT
                  f.account_id,
                  f.campaign_id,
                  f.currency_code,
                  f.date_day,
                  f.platform,
                  SUM(f.spend) AS spend,
                  SUM(f.conversions) AS conversions,
                  SUM(f.conversions_value) AS conversions_value,
                  COUNT(*) AS day_rows
                FROM marts.fct_ad_performance_daily AS f
                WHERE
                  f.organization_id = {organization: String}
                  AND f.date_day BETWEEN {compared_since: Date} AND {compared_until: Date}
                  AND NOT (
                    f.account_id IN {p0: Array(String)}
                    OR (f.platform, f.account_id) IN (
                      SELECT
                        d.platform,
                        d.account_id
                      FROM marts.dim_account AS d
                      WHERE
                        d.organization_id = {organization: String}
                        AND d.account_name IN {p0: Array(String)}
                    )
                  )
                GROUP BY
                  f.account_id,
                  f.campaign_id,
                  f.currency_code,
                  f.date_day,
                  f.platform
              ) AS f
              LEFT JOIN (
                SELECT
                  x.from_currency,
                  x.date_day,
                  x.rate
                FROM marts.dim_fx_rate AS x
                WHERE
                  x.to_currency = {currency: String}
                  AND x.date_day BETWEEN {compared_since: Date} AND {compared_until: Date}
              ) AS r
                ON f.currency_code = r.from_currency AND f.date_day = r.date_day
              GROUP BY
                dateTrunc('WEEK', addYears(f.date_day, 1)),
                f.platform,
                f.campaign_id,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.platform END,
                CASE WHEN f.campaign_id = '' THEN '' ELSE f.account_id END
            ) AS u
            GROUP BY
              u.date_day,
              u.platform,
              u.campaign_id,
              u.campaign_platform,
              u.campaign_account_id
          ) AS m
          WHERE
            m.spend >= {n0: Decimal(38, 12)}
        ) AS m
      ) AS m
    ) AS t
    GROUP BY
      t.date_day,
      CASE WHEN t.place <= 3 THEN t.platform ELSE '' END,
      CASE WHEN t.place <= 3 THEN t.campaign_id ELSE '' END,
      CASE WHEN t.place <= 3 THEN t.campaign_platform ELSE '' END,
      CASE WHEN t.place <= 3 THEN t.campaign_account_id ELSE '' END,
      LEAST(t.place, 3 + 1)
  ) AS g
  GROUP BY
    GROUPING SETS (
      (
        g.date_day,
        g.platform,
        g.campaign_id,
        g.campaign_platform,
        g.campaign_account_id,
        g.place
      ),
      ()
    )
) AS m
LEFT JOIN (
  SELECT
    d.platform,
    d.account_id,
    d.campaign_id,
    d.campaign_name
  FROM marts.dim_campaign AS d
  WHERE
    d.organization_id = {organization: String}
) AS n_campaign
  ON m.campaign_platform = n_campaign.platform
  AND m.campaign_account_id = n_campaign.account_id
  AND m.campaign_id = n_campaign.campaign_id
ORDER BY
  m.row_type = 'total',
  m.date_day ASC,
  m.place ASC,
  m.date_day ASC,
  m.platform ASC,
  m.campaign_id ASC,
  m.campaign_platform ASC,
  m.campaign_account_id ASC
LIMIT 100001
-- compared_since = datetime.date(2023, 3, 1)
-- compared_until = datetime.date(2023, 3, 31)
-- currency = 'EUR'
-- n0 = Decimal('10')
-- organization = 'org'
-- p0 = ['x']
-- since = datetime.date(2024, 3, 1)
-- until = datetime.date(2024, 3, 31)

-- check:
SELECT
  SUM(c.rows) AS found,
  uniqExact(c.date_day) AS days,
  groupUniqArray(c.currency_code) AS currencies,
  groupUniqArray((c.platform, c.vat_included)) AS mixed_vat
FROM (
  SELECT
    f.currency_code,
    f.date_day,
    f.platform,
    f.vat_included,
    COUNT(*) AS rows
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
    AND NOT (
      f.account_id IN {p0: Array(String)}
      OR (f.platform, f.account_id) IN (
        SELECT
          d.platform,
          d.account_id
        FROM marts.dim_account AS d
        WHERE
          d.organization_id = {organization: String}
          AND d.account_name IN {p0: Array(String)}
      )
    )
  GROUP BY
    f.currency_code,
    f.date_day,
    f.platform,
    f.vat_included
) AS c

-- check:
SELECT
  SUM(c.rows) AS found,
  uniqExact(c.date_day) AS days,
  groupUniqArray(c.currency_code) AS currencies,
  groupUniqArray((c.platform, c.vat_included)) AS mixed_vat
FROM (
  SELECT
    f.currency_code,
    f.date_day,
    f.platform,
    f.vat_included,
    COUNT(*) AS rows
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {compared_since: Date} AND {compared_until: Date}
    AND NOT (
      f.account_id IN {p0: Array(String)}
      OR (f.platform, f.account_id) IN (
        SELECT
          d.platform,
          d.account_id
        FROM marts.dim_account AS d
        WHERE
          d.organization_id = {organization: String}
          AND d.account_name IN {p0: Array(String)}
      )
    )
  GROUP BY
    f.currency_code,
    f.date_day,
    f.platform,
    f.vat_included
) AS c

-- check:
SELECT
  f.currency_code AS currency,
  MIN(f.date_day) AS since,
  MAX(f.date_day) AS until
FROM (
  SELECT
    f.currency_code,
    f.date_day
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
    AND NOT (
      f.account_id IN {p0: Array(String)}
      OR (f.platform, f.account_id) IN (
        SELECT
          d.platform,
          d.account_id
        FROM marts.dim_account AS d
        WHERE
          d.organization_id = {organization: String}
          AND d.account_name IN {p0: Array(String)}
      )
    )
  GROUP BY
    f.currency_code,
    f.date_day
) AS f
LEFT JOIN (
  SELECT
    x.from_currency,
    x.date_day,
    x.rate
  FROM marts.dim_fx_rate AS x
  WHERE
    x.to_currency = {currency: String}
    AND x.date_day BETWEEN {since: Date} AND {until: Date}
) AS r
  ON f.currency_code = r.from_currency AND f.date_day = r.date_day
WHERE
  (
    f.currency_code <> {currency: String} AND r.rate IS NULL
  )
GROUP BY
  f.currency_code

-- check:
SELECT
  f.currency_code AS currency,
  MIN(f.date_day) AS since,
  MAX(f.date_day) AS until
FROM (
  SELECT
    f.currency_code,
    f.date_day
  FROM marts.fct_ad_performance_daily AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {compared_since: Date} AND {compared_until: Date}
    AND NOT (
      f.account_id IN {p0: Array(String)}
      OR (f.platform, f.account_id) IN (
        SELECT
          d.platform,
          d.account_id
        FROM marts.dim_account AS d
        WHERE
          d.organization_id = {organization: String}
          AND d.account_name IN {p0: Array(String)}
      )
    )
  GROUP BY
    f.currency_code,
    f.date_day
) AS f
LEFT JOIN (
  SELECT
    x.from_currency,
    x.date_day,
    x.rate
  FROM marts.dim_fx_rate AS x
  WHERE
    x.to_currency = {currency: String}
    AND x.date_day BETWEEN {compared_since: Date} AND {compared_until: Date}
) AS r
  ON f.currency_code = r.from_currency AND f.date_day = r.date_day
WHERE
  (
    f.currency_code <> {currency: String} AND r.rate IS NULL
  )
GROUP BY
  f.currency_code
