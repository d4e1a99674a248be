-- house: what the compiler writes, word for word
SELECT
  nullIf(m.project_id, '') AS project,
  nullIf(n_project.project_name, '') AS project_name,
  nullIf(m.campaign_id, '') AS campaign,
  nullIf(n_campaign.campaign_name, '') AS campaign_name,
  m.currency_code AS currency,
  toDecimal128(m.spend, 12) / nullIf(m.conversions, 0) AS cpa,
  toFloat64(m.conversions) / nullIf(toFloat64(m.clicks), 0) AS cvr
FROM (
  SELECT
    p.project_id AS project_id,
    f.campaign_id AS campaign_id,
    CASE WHEN f.campaign_id = '' THEN '' ELSE f.platform END AS campaign_platform,
    CASE WHEN f.campaign_id = '' THEN '' ELSE f.account_id END AS campaign_account_id,
    f.currency_code AS currency_code,
    SUM(f.spend) AS spend,
    SUM(f.conversions) AS conversions,
    SUM(f.clicks) AS clicks
  FROM (
    SELECT
      f.account_id,
      f.campaign_id,
      f.currency_code,
      f.date_day,
      f.platform,
      SUM(f.spend) AS spend,
      SUM(f.conversions) AS conversions,
      SUM(f.clicks) AS clicks,
      COUNT(*) AS day_rows
    FROM marts.fct_ad_performance_daily__as_of(
      as_of = {as_of: DateTime64(6, 'UTC')},
      organization_id = {organization: String},
      since = {since: Date},
      until = {until: Date}
    ) AS f
    WHERE
      f.organization_id = {organization: String}
      AND f.date_day BETWEEN {since: Date} AND {until: Date}
      AND f.platform IN {p0: Array(String)}
      AND (
        arrayExists(
          word -> positionCaseInsensitiveUTF8(toString(f.campaign_id), word) > 0,
          {p1: Array(String)}
        )
        OR (f.platform, f.account_id, f.campaign_id) IN (
          SELECT
            d.platform,
            d.account_id,
            d.campaign_id
          FROM (
            SELECT
              v.platform AS platform,
              v.account_id AS account_id,
              v.campaign_id AS campaign_id,
              argMin(v.campaign_name, v.later) AS campaign_name
            FROM (
              SELECT
                h.platform,
                h.account_id,
                h.campaign_id,
                h.campaign_name,
                0 AS later
              FROM marts.dim_campaign_history AS h
              WHERE
                h.organization_id = {organization: String}
                AND (
                  h.valid_from <= toDate({as_of: DateTime64(6, 'UTC')})
                  AND (
                    h.valid_to IS NULL OR h.valid_to >= toDate({as_of: DateTime64(6, 'UTC')})
                  )
                )
              UNION ALL
              SELECT
                n.platform,
                n.account_id,
                n.campaign_id,
                n.campaign_name,
                1 AS later
              FROM marts.dim_campaign AS n
              WHERE
                n.organization_id = {organization: String}
            ) AS v
            GROUP BY
              v.platform,
              v.account_id,
              v.campaign_id
          ) AS d
          WHERE
            arrayExists(
              word -> positionCaseInsensitiveUTF8(toString(d.campaign_name), word) > 0,
              {p1: Array(String)}
            )
        )
      )
      AND (f.platform, f.account_id, f.date_day) IN (
        SELECT DISTINCT
          d.platform,
          d.account_id,
          arrayJoin(
            arrayMap(
              n -> toDate(n),
              range(
                toUInt32(greatest(d.since, {since: Date})),
                toUInt32(least(ifNull(d.until, {until: Date}), {until: Date})) + 1
              )
            )
          ) AS day
        FROM marts.dim_account_project AS d
        WHERE
          d.organization_id = {organization: String}
          AND d.project_id IN {projects: Array(String)}
          AND (
            d.project_id IN {p2: Array(String)} OR d.project_name IN {p2: Array(String)}
          )
      )
      AND toString(f.date_day) IN {p3: Array(String)}
    GROUP BY
      f.account_id,
      f.campaign_id,
      f.currency_code,
      f.date_day,
      f.platform
  ) AS f
  LEFT JOIN (
    SELECT DISTINCT
      d.project_id,
      d.platform,
      d.account_id,
      arrayJoin(
        arrayMap(
          n -> toDate(n),
          range(
            toUInt32(greatest(d.since, {since: Date})),
            toUInt32(least(ifNull(d.until, {until: Date}), {until: Date})) + 1
          )
        )
      ) AS day
    FROM marts.dim_account_project AS d
    WHERE
      d.organization_id = {organization: String}
      AND d.project_id IN {projects: Array(String)}
      AND (
        d.project_id IN {p2: Array(String)} OR d.project_name IN {p2: Array(String)}
      )
  ) AS p
    ON f.platform = p.platform AND f.account_id = p.account_id AND f.date_day = p.day
  GROUP BY
    p.project_id,
    f.campaign_id,
    CASE WHEN f.campaign_id = '' THEN '' ELSE f.platform END,
    CASE WHEN f.campaign_id = '' THEN '' ELSE f.account_id END,
    f.currency_code
) AS m
LEFT JOIN (
  SELECT DISTINCT
    d.project_id,
    d.project_name
  FROM marts.dim_account_project AS d
  WHERE
    d.organization_id = {organization: String}
) AS n_project
  ON m.project_id = n_project.project_id
LEFT JOIN (
  SELECT
    d.platform,
    d.account_id,
    d.campaign_id,
    d.campaign_name
  FROM (
    SELECT
      v.platform AS platform,
      v.account_id AS account_id,
      v.campaign_id AS campaign_id,
      argMin(v.campaign_name, v.later) AS campaign_name
    FROM (
      SELECT
        h.platform,
        h.account_id,
        h.campaign_id,
        h.campaign_name,
        0 AS later
      FROM marts.dim_campaign_history AS h
      WHERE
        h.organization_id = {organization: String}
        AND (
          h.valid_from <= toDate({as_of: DateTime64(6, 'UTC')})
          AND (
            h.valid_to IS NULL OR h.valid_to >= toDate({as_of: DateTime64(6, 'UTC')})
          )
        )
      UNION ALL
      SELECT
        n.platform,
        n.account_id,
        n.campaign_id,
        n.campaign_name,
        1 AS later
      FROM marts.dim_campaign AS n
      WHERE
        n.organization_id = {organization: String}
    ) AS v
    GROUP BY
      v.platform,
      v.account_id,
      v.campaign_id
  ) AS d
) AS n_campaign
  ON m.campaign_platform = n_campaign.platform
  AND m.campaign_account_id = n_campaign.account_id
  AND m.campaign_id = n_campaign.campaign_id
ORDER BY
  project ASC,
  campaign ASC,
  currency ASC,
  m.project_id ASC,
  m.campaign_id ASC,
  m.campaign_platform ASC,
  m.campaign_account_id ASC,
  m.currency_code ASC
LIMIT 100001
-- as_of = datetime.datetime(2024, 4, 1, 0, 0, tzinfo=datetime.timezone.utc)
-- organization = 'org'
-- p0 = ['meta_ads']
-- p1 = ["Бренд'; --"]
-- p2 = ['north']
-- p3 = ['2024-03-01', '2024-03-02']
-- projects = ['north']
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
  FROM marts.fct_ad_performance_daily__as_of(
    as_of = {as_of: DateTime64(6, 'UTC')},
    organization_id = {organization: String},
    since = {since: Date},
    until = {until: Date}
  ) AS f
  WHERE
    f.organization_id = {organization: String}
    AND f.date_day BETWEEN {since: Date} AND {until: Date}
    AND f.platform IN {p0: Array(String)}
    AND (
      arrayExists(
        word -> positionCaseInsensitiveUTF8(toString(f.campaign_id), word) > 0,
        {p1: Array(String)}
      )
      OR (f.platform, f.account_id, f.campaign_id) IN (
        SELECT
          d.platform,
          d.account_id,
          d.campaign_id
        FROM (
          SELECT
            v.platform AS platform,
            v.account_id AS account_id,
            v.campaign_id AS campaign_id,
            argMin(v.campaign_name, v.later) AS campaign_name
          FROM (
            SELECT
              h.platform,
              h.account_id,
              h.campaign_id,
              h.campaign_name,
              0 AS later
            FROM marts.dim_campaign_history AS h
            WHERE
              h.organization_id = {organization: String}
              AND (
                h.valid_from <= toDate({as_of: DateTime64(6, 'UTC')})
                AND (
                  h.valid_to IS NULL OR h.valid_to >= toDate({as_of: DateTime64(6, 'UTC')})
                )
              )
            UNION ALL
            SELECT
              n.platform,
              n.account_id,
              n.campaign_id,
              n.campaign_name,
              1 AS later
            FROM marts.dim_campaign AS n
            WHERE
              n.organization_id = {organization: String}
          ) AS v
          GROUP BY
            v.platform,
            v.account_id,
            v.campaign_id
        ) AS d
        WHERE
          arrayExists(
            word -> positionCaseInsensitiveUTF8(toString(d.campaign_name), word) > 0,
            {p1: Array(String)}
          )
      )
    )
    AND (f.platform, f.account_id, f.date_day) IN (
      SELECT DISTINCT
        d.platform,
        d.account_id,
        arrayJoin(
          arrayMap(
            n -> toDate(n),
            range(
              toUInt32(greatest(d.since, {since: Date})),
              toUInt32(least(ifNull(d.until, {until: Date}), {until: Date})) + 1
            )
          )
        ) AS day
      FROM marts.dim_account_project AS d
      WHERE
        d.organization_id = {organization: String}
        AND d.project_id IN {projects: Array(String)}
        AND (
          d.project_id IN {p2: Array(String)} OR d.project_name IN {p2: Array(String)}
        )
    )
    AND toString(f.date_day) IN {p3: Array(String)}
  GROUP BY
    f.currency_code,
    f.platform,
    f.vat_included
) AS c
