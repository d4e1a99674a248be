{# Name what a GA4 answer says of itself: rows withheld, rows folded into (other), numbers from a sample; empty when it has no doubts. #}
{% macro ga4_doubts() -%}
    arrayStringConcat(arrayFilter(word -> word != '', [
        if(subjectToThresholding, 'thresholded', ''), if(dataLossFromOtherRow, 'other_row', ''), if(isNotNull(samplesReadCount), 'sampled', '')
    ]), ', ')
{%- endmacro %}
